/*
 * clocks.pml - the sequence counter, its two copies, and the processes that touch it, as a model for SPIN.
 *
 * It is the code of vdso-src/include/vdso/seqcount.h, vdso-src/gettime.c and the publishing part of
 * loader/kernel/time/timekeeper.c, step by step: a step is a load, a store, a barrier, a look at a
 * clock, or a check. STEP(name, value) says which; tests/model/steps has for each name the line of
 * the source that it stands for, and tests/model/code.t holds them together. SPIN takes the steps
 * of all processes in every order. tests/model/README.md tells how to run and how to read it.
 *
 * Who takes part
 *
 *   Reader    makes CALLS calls, one after the other. Readers write nothing, so two of them cannot
 *             tell each other apart: a call of one that begins after a call of another one has
 *             ended is here the next call of the same one. A reader may die; nobody would notice.
 *   Writer    the timekeeper: publish(), UPDATES times. It may be stopped before every step, for as
 *             long as anybody likes: SPIN just takes the steps of others. It dies with WITHOUT=death.
 *   Watchdog  vdso_abandon(), at any moment (the real one waits until it has reason to).
 *   Memory    lets the Writer's stores become visible.
 *   Clock     the counter, and with it the kernel's clock, goes on, at any moment.
 *
 * Weak memory. All four machines are "multi-copy atomic" (x86-TSO; Armv8, B2.3; RISC-V, RVWMO): a
 * store becomes visible to all others at one moment. Until then it is in a buffer; each variable
 * has its own, so stores become visible in any order that no barrier forbids. Loads take what is
 * visible, also in any order that no barrier forbids (in_order() in the reader's loops). Two loads
 * of one variable keep their order. A compare-and-swap takes the variable for its own at once and
 * shows its store later: that is what an exclusive pair of Armv8 may do.
 *
 * Loads are not taken out of order across the end of a call. The only load of a call that nothing
 * keeps before the next call is its second look at the number (B). Numbers never come back, so a
 * B that is late and finds the same number would have found it in time, too.
 *
 * Values. A word has the number of the update that it is from; a copy with two of them is torn.
 * v, l and m are what the update says: at count l the clock showed v, and goes on by m a tick. The
 * kernel's clock goes on by 8, so a tick is longer than all that the code calls an error
 * (TIMELINE_STEP_NS, TIMELINE_AHEAD_NS): TOL units, which the answers of page and kernel may differ
 * by for a fine clock. For a coarse clock and for time() nothing may differ. The unit is also a
 * second: each update begins a new one, which is the worst case for time().
 *
 * What is left out, and why, is at the end of tests/model/steps.
 */

/* Which clocks the reader reads: FINE, or COARSE, with TIME time() as well. NAMESPACE: each
 * call through a page of offsets, or not. LOSE: the counter becomes unusable for a while. BACK: the
 * watchdog has abandoned the page before all begins. */
#ifndef CALLS
#	define CALLS 2
#endif
#ifndef UPDATES
#	define UPDATES 1
#endif
#ifndef ATTEMPTS
#	define ATTEMPTS 2
#endif
#ifndef TICKS
#	define TICKS 2
#endif
#ifndef ABANDONS
#	define ABANDONS 1
#endif

#define KERNEL (8 * count)
#define MAX    1 /* max_cycles, in ticks */
#define TOL    1
#define STEP_NS 1 /* TIMELINE_STEP_NS: an error above that is no drift */

/* A reader waits for PATIENCE ticks; a watchdog that runs lets no update be longer than WATCH;
 * a writer believes its data for less than one tick (COARSE_PATIENCE_NS). */
#define PATIENCE 2
#define WATCH    1

#define NONE      0
#define COUNTER   1
#define ABANDONED 2

/* Words: the two heads, two words of the clock in each copy, and the one that time() reads. */
#define H0 0
#define H1 1
#define X0 2
#define Y0 3
#define X1 4
#define Y1 5
#define T0 6
#define WORDS 7
#define BIT(w) (1 << (w))

#define SHOWN(name, value) printf("visible "); STEP(name, value)
#define STEP(name, value) printf(#name); printf(" %d\n", value)
#define IDS 14

byte mem[WORDS], buf[WORDS], need[WORDS]; /* visible; waiting; which must be visible before */
byte mode[2], next_mode[2];               /* the other half of a head */
byte pending, fenced;                     /* what waits, and what did so at the last fence 1 */
byte count;
byte v[IDS], l[IDS], m[IDS];
byte cur, ids;                            /* the line that the timekeeper has, and all so far */
bool alive = true;
byte odd_since;                           /* when the first number became odd */
byte told_page, told_kernel;              /* the latest answers */
bool finished;
bool stretch;                             /* the writer is past its last look at the counter */

/* ---- guards: each can be taken out ------------------------------------------------------------------ */

/*
 * WITHOUT=name,... in the environment of the verifier: these guards are off, and these liberties
 * are taken. They are not part of the state. tests/model/guards has what each one is for.
 */
c_decl {
\#include <string.h>
	enum {
		g_acquire, g_fence, g_before, g_after, g_odd, g_odd2, g_look, g_look2, g_nothing,
		g_tries, g_no_counter, g_max_age, g_second_copy, g_recheck, g_detour,
		g_time_number, g_time_odd, g_time_look, g_fence1, g_fence4, g_release, g_pair3,
		g_cas, g_one_word, g_number, g_none, g_returns, g_second_away, g_restarts, g_fresh,
		g_patience, g_inside, g_beyond, g_order, g_death, g_both_stopped, g_tries_of_all,
		GUARDS
	};
	static const char *const guard_name[] = {
		"acquire", "fence", "before", "after", "odd", "odd2", "look", "look2", "nothing",
		"tries", "no_counter", "max_age", "second_copy", "recheck", "detour",
		"time_number", "time_odd", "time_look", "fence1", "fence4", "release", "pair3",
		"cas", "one_word", "number", "none", "returns", "second_away", "restarts", "fresh",
		"patience", "inside", "beyond", "order", "death", "both_stopped", "tries_of_all",
	};
	static unsigned char guard_off[GUARDS];

	static void take_out(void)
	{
		const char *without = getenv("WITHOUT");

		for (int g = 0; g < GUARDS; g++) {
			size_t n = strlen(guard_name[g]);

			for (const char *at = without; at && (at = strstr(at, guard_name[g])); at += n)
				if ((at == without || at[-1] == ',') && (!at[n] || at[n] == ','))
					guard_off[g] = 1;
		}
	}
}
#define OFF(guard) c_expr { guard_off[g_##guard] }

#define after_a  (OFF(acquire) || (done & A))
#define after_a2 (OFF(acquire) || ((done & A) && (done & A2)))
#define copied(all)    (OFF(fence) || (done & (all)) == (all))
#define counter_waits  (OFF(before) || (done & (A | M)) == (A | M))
#define after_counter  (OFF(after) || (done & C))
/* On aarch64 it is a load that waits for the counter, and the fence that waits for the load. */
#define b_waits        (OFF(after) || OFF(fence) || (done & C))
#define drained        (OFF(fence4) || pending == 0)

/* ---- the writer's memory --------------------------------------------------------------------------- */

/* In a step of its own: the variable's buffer must be empty. */
#define store(w, value) \
	buf[w] = value; \
	need[w] = fenced; \
	pending = pending | BIT(w)

/* The first of all that waited becomes visible. */
#define visible(w) \
	mem[w] = buf[w]; \
	buf[w] = 0; \
	pending = pending & ~BIT(w); \
	fenced = fenced & ~BIT(w); \
	need[0] = need[0] & ~BIT(w); need[1] = need[1] & ~BIT(w); need[2] = need[2] & ~BIT(w); \
	need[3] = need[3] & ~BIT(w); need[4] = need[4] & ~BIT(w); need[5] = need[5] & ~BIT(w); \
	need[6] = need[6] & ~BIT(w)
#define may_show(w) ((pending & BIT(w)) && !need[w])

proctype Memory()
{
end:	do
	:: d_step { may_show(H0) -> visible(H0); mode[0] = next_mode[0]; next_mode[0] = 0; stretch = false;
		odd_since = (mem[H0] & 1 -> count : 0); SHOWN(head, mem[H0]) }
	:: d_step { may_show(X0) -> visible(X0); SHOWN(x, mem[X0]) }
	:: d_step { may_show(Y0) -> visible(Y0); SHOWN(y, mem[Y0]) }
#ifdef COARSE
	:: d_step { may_show(H1) -> visible(H1); mode[1] = next_mode[1]; next_mode[1] = 0;
		SHOWN(head2, mem[H1]) }
	:: d_step { may_show(X1) -> visible(X1); SHOWN(x2, mem[X1]) }
	:: d_step { may_show(Y1) -> visible(Y1); SHOWN(y2, mem[Y1]) }
#endif
#ifdef TIME
	:: d_step { may_show(T0) -> visible(T0); SHOWN(t, mem[T0]) }
#endif
	od
}

/* ---- time -------------------------------------------------------------------------------------------- */

/*
 * What is left, by gettime.c: writer and watchdog are both stopped for longer than a reader waits,
 * the writer between its last look at the counter and its last store (stretch). Here the watchdog
 * comes before that, unless WITHOUT=both_stopped. At all other steps both may be stopped together.
 */
#define watched (OFF(both_stopped) || !(stretch && (mem[H0] & 1) && mode[0] != ABANDONED && count - odd_since >= WATCH))

proctype Clock()
{
end:	do
	:: d_step { count < TICKS && !finished && watched -> count++; STEP(tick, count) }
	od
}

proctype Fate()
{
end:	d_step { OFF(death) && alive && !finished -> alive = false; STEP(dies, 0) }
}

#define next_odd(n) (OFF(number) -> (n) | 1 : ((n) + 1) | 1)

proctype Watchdog()
{
	byte times;
	bool half;
end:	do
	:: d_step { !(pending & BIT(H0)) && !finished && (times < ABANDONS || (mode[0] != ABANDONED && !watched)) ->
		times = (times < ABANDONS -> times + 1 : times);
		mem[H0] = next_odd(mem[H0]);
		odd_since = count;
		if
		:: OFF(one_word) -> half = true; STEP(abandon_number, mem[H0])
		:: else -> mode[0] = ABANDONED; STEP(abandon, mem[H0])
		fi }
	:: d_step { half -> half = false; mode[0] = ABANDONED; STEP(abandon_mode, mem[H0]) }
	od
}

/* ---- the writer ---------------------------------------------------------------------------------------- */

/*
 * What the writer does for itself, without a look at what others may change, is one step with what
 * comes before or after it: nobody could tell the difference. Its stores become visible one by one.
 */

/* vdso_change_head(): from the head (h, hm) to another one; before is what must be visible first. */
#define is_ours(w) (OFF(cas) || (mem[w] == h && (OFF(one_word) || mode[w] == hm)))
#define change_head(w, to, to_mode, before) \
	buf[w] = to; \
	next_mode[w] = to_mode; \
	need[w] = before; \
	pending = pending | BIT(w)
#define before_begin (OFF(pair3) -> fenced : pending)
#define before_end   (OFF(release) -> fenced : pending)

/* vdso_try_begin(), with fence 1. */
inline begin(w)
{
	d_step {
		!(pending & BIT(w)) ->
		if
		:: is_ours(w) ->
			hm = (hm == ABANDONED && !OFF(none) -> NONE : hm);
			h = (h + 1) | 1;
			change_head(w, h, hm, before_begin);
			ok = true;
			STEP(begin, h);
			if
			:: OFF(fence1)
			:: else -> fenced = pending; STEP(fence1, h)
			fi
		:: else -> ok = false; STEP(begin_fails, mem[w])
		fi
	}
}

inline end(w, what)
{
	d_step {
		!(pending & BIT(w)) ->
		if
		:: is_ours(w) -> ok = true; change_head(w, h + 1, what, before_end); STEP(end, h + 1)
		:: else -> ok = false; stretch = false; STEP(end_fails, mem[w])
		fi;
		h = 0; hm = 0
	}
}

inline read_head(w)
{
	d_step {
		if
		:: pending & BIT(w) -> h = buf[w]; hm = next_mode[w]
		:: else -> h = mem[w]; hm = mode[w]
		fi;
		STEP(head, h)
	}
}

/* vdso_abandon(), by the writer. */
inline abandon(w)
{
	d_step {
		!(pending & BIT(w)) ->
		h = 0; hm = 0;
		change_head(w, next_odd(mem[w]), ABANDONED, pending);
		STEP(gives_up, buf[w])
	}
}

/* timeline_ready(): readers beyond max_cycles have been told the kernel's time. */
#define is_beyond (!OFF(beyond) && count - l[cur] > MAX)

/* timeline_advance(): what the next line says, from the count now on. */
inline advance()
{
	ids++;
	l[ids] = now;
	v[ids] = v[cur] + m[cur] * (now - l[cur] > MAX -> MAX : now - l[cur]);
	v[ids] = (restart && 8 * now > v[ids] -> 8 * now : v[ids]);
	m[ids] = (restart || m[cur] == 7 -> 8 : 7);
	restart = false;
	cur = ids;
}

inline write_first()
{
	advance();
	now = 0;
#ifdef TIME
	store(T0, cur);
	STEP(write_time, cur);
#endif
	store(X0, cur);
	STEP(write_x, cur);
	store(Y0, cur);
	STEP(write_y, cur)
}

/* write_coarse(): the fine clock has no line then. */
inline write_without()
{
	d_step {
		drained && !(pending & BIT(Y0)) ->
		STEP(fence4, pending);
		ids++; v[ids] = 8 * count; l[ids] = count; m[ids] = 8;
		store(Y0, ids);
		STEP(write_coarse, ids)
	}
}

#ifdef TIME
#	define buffers_empty(w) !(pending & (BIT(w) | BIT((w) + 1) | BIT(T0)))
#else
#	define buffers_empty(w) !(pending & (BIT(w) | BIT((w) + 1)))
#endif

proctype Writer() provided (alive)
{
	byte h, hm, now, updates, tries, begun;
	bool ok, restart, lost;

	do
	:: d_step { updates < UPDATES && !finished ->
		updates++;
		tries = ATTEMPTS;
#ifdef LOSE
		/* reconsider(): the counter is lost, and comes back. */
		restart = restart || lost;
		lost = (updates == 1)
#endif
		/* look(): what timeline_steer() finds. */
		restart = restart || count - l[cur] > MAX || 8 * count - (v[cur] + m[cur] * (count - l[cur])) > STEP_NS;
		STEP(look, count) }
		do
		:: tries == 0 -> break
		:: else ->
			read_head(H0);
			tries--;
			if
			:: (h & 1) && !OFF(returns) -> /* return_first() */
#ifdef COARSE
				if
				:: d_step { !OFF(second_away) && !(pending & BIT(H1)) ->
					change_head(H1, next_odd(mem[H1]), ABANDONED, pending);
					STEP(second_away, buf[H1]) }
				:: OFF(second_away)
				fi;
#endif
				d_step {
					restart = restart || !OFF(restarts);
					begun = count;
					STEP(looks_again, count)
				}
				begin(H0);
				if
#ifdef LOSE
				:: ok && lost -> write_without(); end(H0, NONE)
				:: ok && !lost ->
#else
				:: ok ->
#endif
					d_step {
						drained && buffers_empty(X0) ->
						STEP(fence4, pending);
						now = count;
						restart = restart || is_beyond;
						STEP(now, now);
						ok = (now == begun || OFF(fresh));
						if
						:: ok -> write_first()
						:: else -> STEP(too_old, begun)
						fi
					}
					if
					:: ok ->
						d_step {
							ok = (count == begun || OFF(patience));
							stretch = ok;
							begun = 0;
							STEP(in_time, ok)
						}
						if :: ok -> end(H0, COUNTER) :: else fi
					:: else
					fi
				:: else
				fi
			:: else -> /* continue_first() */
				if
				:: d_step { OFF(inside) -> now = count; restart = restart || is_beyond; STEP(now, now) }
				:: !OFF(inside)
				fi;
				begin(H0);
				if
				:: ok ->
					if
					:: d_step { !lost && drained && buffers_empty(X0) ->
						STEP(fence4, pending);
						if
						:: OFF(inside)
						:: else -> now = count; restart = restart || is_beyond; STEP(now, now)
						fi;
#ifdef COARSE
						if
						:: OFF(order) -> change_head(H1, (mem[H1] + 1) | 1, COUNTER, fenced); STEP(begin, buf[H1])
						:: else
						fi;
#endif
						write_first() }
						if
						:: end(H0, COUNTER)
						/* write_fine(): no line, after some attempts. */
						:: d_step { ok = false; h = 0; hm = 0; STEP(not_ready, 0) }
						fi
#ifdef LOSE
					:: lost -> write_without(); end(H0, NONE)
#endif
					fi
				:: else
				fi
			fi;
			if
			:: ok ->
#ifdef COARSE
				/* write_second() */
				read_head(H1);
				begin(H1);
				d_step {
					drained && buffers_empty(X1) ->
					store(X1, cur); STEP(copy_x, cur);
					store(Y1, cur); STEP(copy_y, cur)
				}
				end(H1, COUNTER);
#endif
				break
			:: else ->
				read_head(H0);
				if :: hm != ABANDONED -> abandon(H0) :: else -> h = 0; hm = 0 fi
			fi
		od
	:: else -> break
	od
}

/* ---- the reader ------------------------------------------------------------------------------------------ */

/* What a try has done. */
#define A  1
#define M  2
#define C  4
#define X  8
#define Y  16
#define B  32
#define A2 64
#define ALL 128

/* How it ends. */
#define AGAIN   1
#define PAGE    2
#define ASK     3
#define WAIT    4

/* Page and kernel may differ by their errors for a fine clock, and by nothing for a coarse one. */
#ifdef FINE
#	define ERROR TOL
#else
#	define ERROR 0
#endif

#ifdef NAMESPACE
#	define SHIFTED assert(!unshifted) /* the offset is added */
#else
#	define SHIFTED skip
#endif

inline answer_page(value)
{
	SHIFTED;
	STEP(told, value);
	assert(value >= told_page && value + ERROR >= told_kernel); /* no clock goes back */
	told_page = value
}

inline answer_kernel(value)
{
	SHIFTED;
	STEP(told_by_kernel, value);
	assert(value >= told_kernel && value + ERROR >= told_page); /* no clock goes back */
	told_kernel = value
}

inline forget()
{
	done = 0; out = 0; a = 0; b = 0; c = 0; rm = 0; x = 0; y = 0;
#ifdef COARSE
	a2 = 0; way = 0; began = 0; on_detour = false;
#endif
	skip
}

#ifdef FINE
#	define in_page (A | M | C | X | Y | B)

/* read_hres(), one turn of its loop. */
inline try_fine()
{
	do
	:: d_step { !(done & A) -> a = mem[H0]; done = done | A; STEP(seq, a);
		if
		:: (a & 1) && !OFF(odd) -> out = WAIT; done = ALL | A
		:: else
		fi }
	:: d_step { !(done & (M | ALL)) && after_a -> rm = mode[0]; done = done | M; STEP(mode, rm) }
	:: d_step { !(done & (C | ALL)) && counter_waits ->
		c = (early -> early - 1 : count);
		early = 0;
		done = done | C;
		STEP(count, c) }
	:: d_step { !(done & (X | ALL)) && after_a && after_counter -> x = mem[X0]; done = done | X; STEP(x, x) }
	:: d_step { !(done & (Y | ALL)) && (done & X) -> y = mem[Y0]; done = done | Y; STEP(y, y) }
	:: d_step { !(done & (B | ALL)) && (done & A) && copied(M | X | Y) && b_waits ->
		b = mem[H0]; done = done | B; STEP(again, b) }
	/* The count of the next call, if nothing holds it back. */
	:: d_step { OFF(before) && !early && (done & C) && calls < CALLS -> early = count + 1; STEP(early, count) }
	:: d_step { out == WAIT ->
		/* nothing_to_wait_for() */
		rm = mode[0];
		STEP(wait, rm);
		out = (rm == ABANDONED && !OFF(nothing) -> ASK : WAIT);
		assert(out == ASK || rm != ABANDONED) } /* no wait for what nobody will end */
		break
	:: d_step { done == in_page ->
		if
		:: rm == NONE && !OFF(no_counter) -> out = ASK; STEP(no_counter, rm)
		:: else ->
			assert(rm != NONE || b != a); /* no look at a counter that cannot be used */
			if
			:: c > l[x] + MAX && !OFF(max_age) -> out = ASK; STEP(too_far, c)
			:: else ->
				out = (b == a || OFF(look) -> PAGE : AGAIN);
				assert(out == AGAIN || x == y) /* nothing torn */
			fi
		fi }
		break
	od
}
#endif

#ifdef COARSE
#define FIRST  1
#define SECOND 2
#define in_first  (A | X | Y | B)
#define in_second (A | M | A2 | X | Y | B)

/* A load that is taken before the number is known: of the copy that the CPU bets on. */
#define of_first  (after_a && way != SECOND)
#define of_second (after_a && way != FIRST)

/*
 * gettime_coarse(), one turn of its loop. In a time namespace the first turn is the short way of
 * gettime_timens(), which knows the first copy only.
 */
inline try_coarse()
{
	do
	:: d_step { !(done & A) ->
		a = mem[H0];
		began = count;
		STEP(first_seq, a);
		if
		:: !(a & 1) || OFF(odd) ->
			done = (way == SECOND -> A : done | A);
			way = FIRST
		:: else ->
			done = (way == FIRST -> A : done | A);
			way = SECOND;
#ifdef NAMESPACE
			out = (on_detour -> AGAIN : 0);
			done = (on_detour -> ALL | A : done)
#endif
		fi }
	:: d_step { !(done & (X | ALL)) && of_first -> x = mem[X0]; way = FIRST; done = done | X; STEP(first_x, x) }
	:: d_step { !(done & (Y | ALL)) && (done & X) && way == FIRST -> y = mem[Y0]; done = done | Y; STEP(first_y, y) }
	:: d_step { !(done & (B | ALL)) && (done & A) && way == FIRST && copied(X | Y) ->
		b = mem[H0]; done = done | B; STEP(again, b) }
	:: d_step { !(done & (M | ALL)) && (done & A) && way == SECOND ->
		rm = mode[0];
		done = done | M;
		STEP(wait, rm);
		out = (rm == ABANDONED && !OFF(nothing) -> ASK : 0);
		assert(out == ASK || rm != ABANDONED); /* no wait for what nobody will end */
		done = (out == ASK -> ALL | A : done) }
	:: d_step { !(done & (A2 | ALL)) && !OFF(second_copy) && of_second -> a2 = mem[H1]; way = SECOND; done = done | A2; STEP(second_seq, a2) }
	:: d_step { !(done & (X | ALL)) && !OFF(second_copy) && of_second && after_a2 -> x = mem[X1]; way = SECOND; done = done | X; STEP(second_x, x) }
	:: d_step { !(done & (Y | ALL)) && (done & X) && way == SECOND -> y = mem[Y1]; done = done | Y; STEP(second_y, y) }
	:: d_step { !(done & (B | ALL)) && (done & A2) && way == SECOND && copied(A | M | X | Y) ->
		b = mem[H1]; done = done | B; STEP(second_again, b) }
	:: done & ALL -> break
	:: d_step { way == FIRST && done == in_first ->
		out = (b == a || OFF(look) -> PAGE : AGAIN);
		assert(out == AGAIN || x == y) } /* nothing torn */
		break
	:: d_step { way == SECOND && done == (A | M) && OFF(second_copy) -> out = WAIT } break
	:: d_step { way == SECOND && (done & (A | M | A2)) == (A | M | A2) && (a2 & 1) && !OFF(odd2) -> out = WAIT } break
	:: d_step { way == SECOND && done == in_second && (!(a2 & 1) || OFF(odd2)) ->
		out = (b == a2 || OFF(look2) -> PAGE : AGAIN);
		assert(out == AGAIN || x == y) } /* nothing torn */
		break
	od
}

/* Both copies are odd. */
inline wait_for_copy()
{
	since = (since == 0 || (waited != a && !OFF(tries_of_all)) -> began + 1 : since);
	waited = a;
	if
	:: d_step { !OFF(tries) && began + 1 - since >= PATIENCE -> STEP(gives_up_waiting, a); out = ASK }
	:: d_step { (mem[H0] != a || mem[H1] != a2) -> forget() }
	:: d_step { mem[H0] == a && count + 1 - since >= PATIENCE && began + 1 - since < PATIENCE -> forget() }
	/* A mode of NONE is that of a page that comes back. */
	:: d_step { count > began && mem[H0] == a && (a & 1) && mode[0] != NONE -> STEP(waits_long, a); assert(false) } /* no wait while a copy can be read */
	:: timeout -> STEP(for_ever, a);
		assert(!OFF(tries)); /* no endless wait */
		out = ASK
	fi
}
#endif

#ifdef TIME
/* time(): one word between two looks at the number. Anything else is for the coarse clock. */
inline try_time()
{
	do
	/* As it was once: one word, whatever its number. */
	:: d_step { OFF(time_number) && !(done & M) -> rm = mode[0]; done = done | M; STEP(time_mode, rm) }
	:: d_step { OFF(time_number) && done == (M | X) -> out = (rm == ABANDONED -> AGAIN : PAGE) } break
	:: d_step { !OFF(time_number) && !(done & A) -> a = mem[H0]; done = done | A; STEP(time_seq, a) }
	:: d_step { !(done & X) && (OFF(time_number) || after_a) -> x = mem[T0]; done = done | X; STEP(time_word, x) }
	:: d_step { !(done & B) && (done & A) && copied(X) -> b = mem[H0]; done = done | B; STEP(time_again, b) }
	:: d_step { done == (A | X | B) ->
		out = (((a & 1) && !OFF(time_odd)) || (b != a && !OFF(time_look)) -> AGAIN : PAGE)
		} break
	od
}
#endif

proctype Reader()
{
	byte done, out, a, b, c, rm, x, y, calls;
	byte early;
#ifdef COARSE
	byte a2, way, began, since, waited, kernel;
	bool on_detour;
#	ifdef NAMESPACE
	bool unshifted;
#	endif
#endif

	do
	:: calls == CALLS -> break
	:: else ->
		calls++;
#ifdef FINE
		do
		:: try_fine();
			if
			:: d_step { out == AGAIN -> forget() }
			/* The last try; or what was too far away was a mix of two lines. */
			:: d_step { out == AGAIN && !OFF(tries) -> STEP(gives_up_trying, a); out = ASK } break
			:: out == WAIT ->
				if
				:: d_step { mem[H0] != a -> forget() }
				:: d_step { !OFF(tries) -> STEP(gives_up_waiting, a); out = ASK } break
				:: timeout -> STEP(for_ever, a); assert(false) /* no endless wait */
				fi
			:: else -> break
			fi
		od;
		if
		:: d_step { out == PAGE -> answer_page(v[x] + m[x] * (c < l[x] -> 0 : c - l[x])); forget() }
		:: d_step { out == ASK -> answer_kernel(KERNEL); forget() }
		fi
#endif
#ifdef TIME
		if
		:: try_time();
			if
			:: d_step { out == PAGE -> answer_page(v[x]); forget() } goto next
			:: d_step { else -> forget() }
			fi
		:: skip
		fi;
#endif
#ifdef COARSE
#	ifdef NAMESPACE
		/*
		 * In a namespace or not. The page of offsets is odd for ever, and its mode says
		 * where to go; who does not look at that is told the kernel's time as it is.
		 */
		if
		:: d_step { on_detour = !OFF(detour); unshifted = OFF(detour); STEP(offsets, 1) }
		:: skip
		fi;
#	endif
		do
		:: try_coarse();
			if
			:: d_step { out == AGAIN -> forget() }
			:: d_step { out == PAGE -> answer_page(v[x]); since = 0; waited = 0; forget() } break
			:: out == WAIT ->
				wait_for_copy();
				if
				:: d_step { out == ASK -> answer_kernel(KERNEL); since = 0; waited = 0; forget() } break
				:: else
				fi
			:: d_step { out == ASK -> kernel = KERNEL; STEP(kernel, kernel) }
				if
				:: d_step { OFF(recheck) || mem[H0] == a -> STEP(again, mem[H0]); answer_kernel(kernel); kernel = 0; since = 0; waited = 0; forget() } break
				:: d_step { !OFF(recheck) && mem[H0] != a -> STEP(again, mem[H0]); kernel = 0; forget() }
				fi
			fi
		od;
#endif
next:		skip
	od;
	finished = true
}

init {
	atomic {
		mode[0] = COUNTER; mode[1] = COUNTER;
#ifdef BACK
		mem[H0] = 1; mode[0] = ABANDONED;
#endif
#ifdef FINE
		m[0] = 8; /* the next line is flatter: a count that belongs to the old one is ahead */
#else
		m[0] = 7; /* a line that is behind */
#endif
		c_code { take_out(); };
		run Memory(); run Clock(); run Watchdog(); run Writer(); run Reader(); run Fate()
	}
}
