# unwind.py - inside gdb: steps through each call of calls.c, instruction by instruction.
#
# Wherever the program is in the page, the way back must lead through every function that has been
# called and not returned, to call(); each with the stack pointer and the registers that a function
# must keep as they were when it was called. Prints "name steps wrong"
# lines for unwind.t, and the first few mistakes.
import gdb

KEPT = {'aarch64': ['x%d' % n for n in range(19, 30)], 'riscv64': ['s%d' % n for n in range(0, 12)]}
LINK = {'aarch64': 'x30', 'riscv64': 'ra'}
arch, image = gdb.parameter('args').split()

# After so many visits of one instruction the frame is believed; a cipher's loop is long.
VISITS = 2
seen, loaded, told = {}, {}, 0


def register(frame, name):
    return int(frame.read_register(name)) & (1 << 64) - 1


def load(function):
    """The image that a function is in, which begins with its ELF header. Stripped: what gdb knows is
    what a program has in memory, .dynsym and .eh_frame."""
    base = function & ~4095
    while bytes(gdb.selected_inferior().read_memory(base, 4)) != b'\x7fELF':
        base -= 4096
    if base not in loaded:
        loaded[base] = True
        gdb.execute('add-symbol-file %s -o %#x' % (image, base), to_string=True)
    return base


def snapshot():
    """Where the function that has just been called returns to, and what it must keep."""
    frame = gdb.newest_frame()
    return register(frame, LINK[arch]), {r: register(frame, r) for r in KEPT[arch] + ['sp']}


def step(calls):
    """One instruction; but a loop that has been seen often enough is let run to its end."""
    frame = gdb.newest_frame()
    pc = frame.pc()
    behind = pc + frame.architecture().disassemble(pc)[0]['length']
    gdb.execute('stepi', to_string=True)
    frame = gdb.newest_frame()
    now = frame.pc()
    if now < pc < now + 4096 and max(seen.get(now - base, 0) for base in loaded) > VISITS:
        stops = [gdb.Breakpoint('*%#x' % at, internal=True, temporary=True) for at in (behind, calls[-1][0])]
        gdb.execute('continue', to_string=True)
        for stop in stops:
            if stop.is_valid():
                stop.delete()
    elif now != behind and register(frame, LINK[arch]) == behind:
        calls.append(snapshot())
    while calls and gdb.newest_frame().pc() == calls[-1][0]:
        calls.pop()


def mistakes(calls):
    """Every function that is being executed must be on the way back, with the registers of its caller."""
    frame = gdb.newest_frame()
    for back, kept in reversed(calls):
        frame = frame.older()
        if frame is None or frame.pc() != back:
            return ['no way back to %#x' % back]
        bad = ['%s is %#x, was %#x' % (r, register(frame, r), kept[r]) for r in kept if register(frame, r) != kept[r]]
        if bad:
            return bad
    return [] if frame.name() == 'call' else ['no way back to call()']


def walk():
    global told
    frame = gdb.newest_frame()
    name = frame.read_var('name').string()
    function = int(frame.read_var('function'))
    base = load(function)
    while gdb.newest_frame().pc() != function:
        gdb.execute('stepi', to_string=True)
    frame = gdb.newest_frame()
    # Each another value, or one taken for another would not be noticed.
    was = {r: register(frame, r) for r in KEPT[arch]}
    for number, r in enumerate(was):
        gdb.execute('set $%s = %#x' % (r, 0x515100000000 + number))
    calls = [snapshot()]
    steps = wrong = 0
    while calls:
        pc = gdb.newest_frame().pc()
        seen[pc - base] = seen.get(pc - base, 0) + 1
        if seen[pc - base] <= VISITS:
            steps += 1
            try:
                bad = mistakes(calls)
            except gdb.error as error:
                bad = [str(error)]
            if bad:
                wrong += 1
                if told < 5:
                    print('mistake at %#x in %s: %s' % (pc - base, name, '; '.join(bad)))
                    told += 1
        step(calls)
    for r in was:
        gdb.execute('set $%s = %#x' % (r, was[r]))
    print('walked %s %d %d' % (name, steps, wrong))


gdb.execute('break call')
gdb.execute('break handler')
gdb.execute('handle SIGUSR1 nostop noprint pass', to_string=True)
gdb.execute('continue', to_string=True)
while gdb.selected_inferior().pid and gdb.newest_frame().name() == 'call':
    walk()
    gdb.execute('continue', to_string=True)
if gdb.selected_inferior().pid and gdb.newest_frame().name() == 'handler':
    frames = []
    frame = gdb.newest_frame()
    while frame is not None:
        frames.append('signal' if frame.type() == gdb.SIGTRAMP_FRAME else frame.name() or '?')
        frame = frame.older()
    print('handler ' + ' '.join(frames))
print('instructions %d' % len(seen))
gdb.execute('kill')
