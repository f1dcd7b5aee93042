// The sequence counter, one step at a time: what the page "The stepper" plays. No browser in here.
//
// Three take turns, in any order: a reader, which is read_hres() of one call after the other; the
// writer, which is one update after the other; and the watchdog. A step is a load or a store of a
// shared word, or a decision. The counter of the CPU goes on by 10 with every step, and 1 cycle is
// about 1 ns.
//
// What is left out: max_cycles, mask and shift, which are loaded and stored like mult and do not
// change here; the second base; the mode of a time namespace.
//
// Weak memory, as simple as it can be. Each of the two has its steps in the order of the source. A
// step may be taken before an earlier one if nothing keeps the two in order (kept() below), and
// what keeps them are the barriers, each with a switch. Loads of data keep their order among
// themselves, and so do stores of data: to swap those as well would add nothing but cases.

import { STORIES } from './stories.mjs'

// What each step stands for. `from` is a function of the source and `line` a line of it, and
// SOURCES has a digest of all these functions: tests/course/stepper.t holds them against the source.
export const READER = [
	{ id: 'seq', word: 'seq', from: 'vdso_read_begin()', line: 'return atomic_load_explicit(&vd->seq, memory_order_acquire); /* pairs with 2 */' },
	{ id: 'mode', word: 'mode', from: 'read_hres()', line: 'if (unlikely(read_once_s32(&vd->clock_mode) == VDSO_CLOCKMODE_NONE))' },
	{ id: 'count', from: 'read_hres()', line: 'if (unlikely(!ns_at(vd, clock, arch_counter(), ns)))' },
	{ id: 'last', word: 'last', from: 'ns_at()', line: 'u64 last = read_once64(&vd->cycle_last);' },
	{ id: 'mult', word: 'mult', from: 'ns_at()', line: 'snsec = vdso_cycles_to_snsec(delta, read_once32(&vd->mult),' },
	{ id: 'nsec', word: 'nsec', from: 'ns_at()', line: 'read_once64(&vd->basetime[clock].nsec));' },
	{ id: 'sec', word: 'sec', from: 'read_hres()', line: '*sec = read_once64(&vd->basetime[clock].sec);' },
	{ id: 'again', word: 'seq', from: 'vdso_read_retry()', line: 'return atomic_load_explicit(&vd->seq, memory_order_relaxed) != start;' },
]
// Instead of what follows: the first number was odd.
export const WAIT = { id: 'wait', word: 'mode', from: 'nothing_to_wait_for()', line: 'return read_once_s32(&vd->clock_mode) >= VDSO_CLOCKMODE_ABANDONED;' }
export const WRITER = [
	{ id: 'head', word: 'seq', from: 'vdso_read_head()', line: 'return (union vdso_head){.word = atomic_load_explicit(&vd->head, memory_order_relaxed)};' },
	{ id: 'begin', word: 'seq', from: 'vdso_try_begin()', line: 'if (!vdso_change_head(vd, head, now))' },
	{ id: 'now', from: 'ready()', line: '*now = arch_counter();' },
	{ id: 'last', word: 'last', from: 'set_line()', line: 'write_once64(&vd->cycle_last, line->cycle_last);' },
	{ id: 'mult', word: 'mult', from: 'set_line()', line: 'write_once32(&vd->mult, line->mult);' },
	{ id: 'sec', word: 'sec', from: 'set_base()', line: 'write_once64(&base->sec, ns / NSEC_PER_SEC);' },
	{ id: 'nsec', word: 'nsec', from: 'set_base()', line: 'write_once64(&base->nsec, ns % NSEC_PER_SEC << shift | frac);' },
	{ id: 'end', word: 'seq', from: 'vdso_write_end()', line: 'return vdso_change_head(vd, &begun, done); /* 2 */' },
]
export const WATCHDOG = { id: 'abandon', word: 'seq', from: 'vdso_abandon()', line: 'now.seq = vdso_next_odd(was.seq);' }

// Where these functions are, and what they were when this page was last compared with them.
export const SOURCES = [
	{ path: 'vdso-src/include/vdso/seqcount.h', names: ['vdso_read_begin()', 'vdso_read_retry()', 'vdso_read_head()', 'vdso_change_head()', 'vdso_next_odd()', 'vdso_abandon()', 'vdso_try_begin()', 'vdso_write_end()'], digest: '944bbe25c9ec' },
	{ path: 'vdso-src/gettime.c', names: ['nothing_to_wait_for()', 'ns_at()', 'read_hres()'], digest: '6b51b5e6d0c6' },
	{ path: 'vdso-src/include/vdso/cycles.h', names: ['vdso_cycles_to_snsec()'], digest: 'e1f675a12ad3' },
	{ path: 'loader/kernel/time/bases.c', names: ['set_base()', 'set_line()'], digest: 'd9799f89df1f' },
	{ path: 'loader/kernel/time/timekeeper.c', names: ['begin()', 'ready()', 'publish()'], digest: 'c1353cb18f2e' },
]

// The switches, all on in the source. `in` is where each stands.
export const SWITCHES = [
	{ id: 'odd', who: 'reader', from: 'read_hres()', line: 'if (unlikely(seq & 1)) {' },
	{ id: 'look', who: 'reader', from: 'read_hres()', line: 'if (likely(!vdso_read_retry(vd, seq)))' },
	{ id: 'acquire', who: 'reader', from: 'vdso_read_begin()', line: 'memory_order_acquire' },
	{ id: 'fence', who: 'reader', from: 'vdso_read_retry()', line: 'atomic_thread_fence(memory_order_acquire); /* pairs with 1 */' },
	{ id: 'counter', who: 'reader', from: 'read_hres()', line: 'arch_counter()' },
	{ id: 'first', who: 'writer', from: 'vdso_try_begin()', line: 'atomic_thread_fence(memory_order_release); /* 1 */' },
	{ id: 'release', who: 'writer', from: 'vdso_change_head()', line: 'memory_order_acq_rel' },
	{ id: 'cas', who: 'writer', from: 'vdso_change_head()', line: 'return atomic_compare_exchange_strong_explicit(' },
]
export const ON = Object.fromEntries(SWITCHES.map(({ id }) => [id, true]))

export const SHIFT = 8
export const MAX_TRIES = 256
const SECOND = 1e9
const STEP = 10
// A timekeeper changes mult by some millionths. By half the effect can be seen.
const FAST = 1 << SHIFT
const SLOW = FAST / 2
const NONE = 0
const COUNTER = 1
const ABANDONED = 2
export const MODES = ['NONE', 'COUNTER', 'ABANDONED']

// Nanoseconds since the start of second 0 are whole numbers far below 2^53, also when shifted.
const KERNEL_AHEAD = 400
const START = { last: 1000, mult: FAST, sec: 41, nsec: (SECOND - 200) * 2 ** SHIFT }
// Ours is a little behind the kernel's, as every measured clock is a little wrong.
const kernelAt = (count) => START.sec * SECOND + START.nsec / 2 ** SHIFT + (count - START.last) + KERNEL_AHEAD

// ns_at() and what read_hres() adds: the time that a base shows at a count, in ns.
export function timeAt(base, count) {
	const delta = count < base.last ? 0 : count - base.last
	return base.sec * SECOND + Math.floor((base.nsec + delta * base.mult) / 2 ** SHIFT)
}

// since: the number of the state that was there when the call began.
const freshReader = () => ({ got: {}, done: [], waiting: false, tries: MAX_TRIES, since: null })
const freshWriter = () => ({ done: [], head: null, next: null, anew: false })

export function start() {
	return {
		count: 1190,
		shared: { seq: 6, mode: COUNTER, ...START },
		reader: freshReader(),
		writer: freshWriter(),
		states: [START], // what was published, one after the other
		answers: [],
		event: null, // what the last step did
	}
}

// ---- order ----------------------------------------------------------------------------------------

// Is the step i kept before the later step j?
function keptReader(on, i, j) {
	if (i === 'seq' && j === 'again')
		return true // two loads of one word
	if (i === 'count' || j === 'count')
		return on.counter // a register: no barrier for memory says anything about it
	if (i === 'seq')
		return on.acquire || (j !== 'mode' && on.counter)
	if (j === 'again')
		return on.fence
	return true
}

function keptWriter(on, i, j) {
	if (i === 'begin' && j !== 'end')
		return on.first
	if (j === 'end' && i !== 'head' && i !== 'begin')
		return on.release || i === 'now'
	return true
}

function open(steps, done, kept) {
	const pending = steps.map((step) => step.id).filter((id) => !done.includes(id))
	return pending.filter((id, at) => pending.slice(0, at).every((before) => !kept(before, id)))
}

// The steps that may come next: first the one that the source has next, then those out of order.
export function choices(state, on) {
	const { reader, writer } = state
	return {
		reader: reader.waiting ? ['wait'] : open(READER, reader.done, (i, j) => keptReader(on, i, j)),
		writer: open(WRITER, writer.done, (i, j) => keptWriter(on, i, j)),
		watchdog: ['abandon'],
	}
}

// ---- steps ----------------------------------------------------------------------------------------

function answer(state, ns, how) {
	const { reader, states, answers } = state
	const last = answers.at(-1)
	// An answer is right if a state that was there during the call gives it.
	const right = how !== 'page' || states.slice(reader.since).some((base) => timeAt(base, reader.got.count) === ns)
	const fault = !right ? 'torn' : last !== undefined && ns < last.ns && !last.fault ? 'back' : null
	const truth = how !== 'page' ? ns : timeAt(states.at(-1), reader.got.count)
	return {
		...state,
		reader: freshReader(),
		answers: [...answers, { ns, how, fault, off: fault === 'back' ? ns - last.ns : ns - truth, got: reader.got }],
		event: { ...state.event, result: how === 'page' ? 'answer' : 'kernel', ns, fault },
	}
}

function again(state, result) {
	const { reader } = state
	if (reader.tries === 1)
		return answer(state, kernelAt(state.count), 'kernel')
	return { ...state, reader: { ...freshReader(), since: reader.since, tries: reader.tries - 1 }, event: { ...state.event, result } }
}

function readerStep(state, on, id) {
	const { shared } = state
	if (state.reader.since === null)
		state = { ...state, reader: { ...state.reader, since: state.states.length - 1 } }
	if (id === 'wait') {
		if (shared.mode === ABANDONED)
			return answer(state, kernelAt(state.count), 'kernel')
		return again(state, 'relax')
	}
	const step = READER.find((one) => one.id === id)
	const value = id === 'count' ? state.count : shared[step.word]
	const reader = { ...state.reader, got: { ...state.reader.got, [id]: value }, done: [...state.reader.done, id] }
	const next = { ...state, reader, event: { ...state.event, value } }
	const { got, done } = reader

	// Decisions, as soon as all that they look at is there, and in the order of the source.
	if (id === 'seq' && on.odd && value & 1)
		return { ...next, reader: { ...reader, got: { seq: value }, done: ['seq'], waiting: true }, event: { ...next.event, result: 'odd' } }
	if ('seq' in got && got.mode === NONE)
		return answer(next, kernelAt(state.count), 'kernel')
	if (done.length < READER.length)
		return next
	if (on.look && got.again !== got.seq)
		return again(next, 'changed')
	return answer(next, timeAt(got, got.count), 'page')
}

// vdso_change_head(): as the switches have it, by comparison or blindly.
function changeHead(state, on, from, to) {
	const { seq, mode } = state.shared
	if (on.cas && (seq !== from.seq || mode !== from.mode))
		return null
	return { ...state.shared, ...to }
}

const nextOdd = (seq) => (seq + 1) | 1

function writerStep(state, on, id) {
	const { shared, writer, count, states } = state
	const did = (changes, event = {}) => ({
		...state, ...changes,
		writer: { ...writer, ...changes.writer, done: [...writer.done, id] },
		event: { ...state.event, ...event },
	})
	const anew = (result) => ({ ...state, writer: { ...freshWriter(), anew: true }, event: { ...state.event, result } })

	if (id === 'head')
		return did({ writer: { head: { seq: shared.seq, mode: shared.mode }, anew: writer.anew || !!(shared.seq & 1) } }, { value: shared.seq })
	if (id === 'begin') {
		const now = { seq: nextOdd(writer.head.seq), mode: writer.head.mode === ABANDONED ? NONE : writer.head.mode }
		const changed = changeHead(state, on, writer.head, now)
		return changed ? did({ shared: changed, writer: { head: now } }, { value: now.seq }) : anew('refused')
	}
	if (id === 'now') {
		// timeline_advance(): the new line begins where the old one is now, or the kernel's clock.
		const base = states.at(-1)
		const total = base.nsec + (count - base.last) * base.mult
		const carry = Math.floor(total / (SECOND * 2 ** SHIFT))
		const next = writer.anew
			? { last: count, mult: FAST, sec: Math.floor(kernelAt(count) / SECOND), nsec: (kernelAt(count) % SECOND) * 2 ** SHIFT }
			: { last: count, mult: base.mult === FAST ? SLOW : FAST, sec: base.sec + carry, nsec: total - carry * SECOND * 2 ** SHIFT }
		return did({ writer: { next } }, { value: count })
	}
	if (id !== 'end')
		return did({ shared: { ...shared, [id]: writer.next[id] } }, { value: writer.next[id] })
	const done = { seq: writer.head.seq + 1, mode: COUNTER }
	const changed = changeHead(state, on, writer.head, done)
	if (!changed)
		return anew('refused')
	return did({ shared: changed }, { value: done.seq, result: 'published' })
}

function watchdogStep(state) {
	const { shared } = state
	const seq = nextOdd(shared.seq)
	return { ...state, shared: { ...shared, seq, mode: ABANDONED }, event: { ...state.event, value: seq, result: 'abandoned' } }
}

// One step: "reader", "writer" or "watchdog", and with a colon and a name one that is out of order.
// Returns null if that step may not come now.
export function step(state, on, action) {
	const [who, id = choices(state, on)[who][0]] = action.split(':')
	if (!choices(state, on)[who].includes(id))
		return null
	const early = id !== choices(state, on)[who][0]
	const before = { ...state, count: state.count + STEP, event: { who, id, early } }
	const after = who === 'reader' ? readerStep(before, on, id) : who === 'writer' ? writerStep(before, on, id) : watchdogStep(before)
	const { writer } = after
	let next = after
	if (who === 'writer' && id === 'end' && writer.done.includes('end')) // it may have been refused
		next = { ...next, states: [...next.states, writer.next] }
	// The update is over when all its stores are: "even" may have come before some.
	return writer.done.length === WRITER.length ? { ...next, writer: freshWriter() } : next
}

export function play(actions, on) {
	return actions.reduce((state, action) => state && step(state, on, action), start())
}

// ---- presets --------------------------------------------------------------------------------------

// Where STORIES has a script it is one that the model checker has found (tests/model).
//
// "3r w" is three steps of the reader and one of the writer; "r:sec" is one that comes out of order.
export function script(text) {
	const who = { r: 'reader', w: 'writer', d: 'watchdog' }
	return text.split(' ').flatMap((word) => {
		const [, times, letter, rest] = /^(\d*)([rwd])(:\w+)?$/.exec(word)
		return Array(Number(times || 1)).fill(who[letter] + (rest ?? ''))
	})
}

export const PRESETS = [
	{ id: 'all', off: [], script: '8r', fault: null },
	{ id: 'retry', off: [], script: '4r 8w 12r', fault: null },
	{ id: 'wait', off: [], script: '4w 4r 4w 8r', fault: null },
	{ id: 'look', off: ['look'], script: STORIES.look, fault: 'torn' },
	{ id: 'odd', off: ['odd'], script: STORIES.odd, fault: 'torn' },
	{ id: 'acquire', off: ['acquire', 'counter'], script: 'r:mode r:count r:last r:mult r:nsec 8w 3r', fault: 'torn' },
	{ id: 'fence', off: ['fence'], script: STORIES.fence, fault: 'torn' },
	{ id: 'first', off: ['first'], script: STORIES.first, fault: 'torn' },
	{ id: 'release', off: ['release'], script: STORIES.release, fault: 'torn' },
	{ id: 'counter', off: ['counter'], script: '2r r:last r:mult r:nsec r:sec r:again 8w 9r', fault: 'back' },
	{ id: 'cas', off: ['cas'], script: '7w d 2r w 8r', fault: 'back' },
	{ id: 'abandoned', off: [], script: '7w d 2r w 8w 8r', fault: null },
]
