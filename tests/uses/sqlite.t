#!/usr/bin/perl
# sqlite.t - what SQLite makes of now: its functions, a column's default, and the end of a month.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $SQLITE = '/usr/bin/sqlite3';
plan skip_all => "$SQLITE is not installed" if !-x $SQLITE;

# The options by which the clock shows that moment at first.
sub moment {
	return ('--at', sprintf '%04d-%02d-%02d %02d:00:00 UTC', @_);
}

sub says {
	my ($sql, @options) = @_;
	my $p = uvdso(@options, '--', $SQLITE, ':memory:', $sql);
	return length $p->{out} ? $p->{out} =~ s/\n\z//r : $p->{err};
}

my $NOW = <<'END';
create table t (id integer, at text default current_timestamp);
insert into t (id) values (1);
select 'datetime ' || unixepoch('now');
select 'default ' || strftime('%s', at) from t;
select 'julianday ' || round((julianday('now') - 2440587.5) * 86400);
END
# unixepoch() is of 3.38.
shows(
	{env => {}}, 'SQLite', [qw(datetime default julianday)],
	$SQLITE, ':memory:', $NOW =~ s/unixepoch\('now'\)/strftime('%s', 'now')/r
);

is(
	says("select date('now', '+1 month')", moment(2028, 1, 31, 12)),
	'2028-03-02', 'a month after the 31st of January 2028 is the 2nd of March'
);
is(
	says("select date('now', 'start of month', '+1 month', '-1 day')", moment(2028, 2, 10, 12)),
	'2028-02-29', '... and that February ends with the 29th'
);
is(
	says("select strftime('%s', 'now') > 2147483647", moment(2038, 1, 20, 0)),
	1, 'after 2038 its seconds do not fit 32 bits'
);

done_testing;
