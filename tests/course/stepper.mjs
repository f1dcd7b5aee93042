// stepper.mjs - the model of the page "The stepper", without a browser.
//
// Its claim is that of seqcount.h: with all barriers and checks no order of steps gives a wrong time,
// and without one of them some order does. So all orders are tried, up to a length.
import { ON, PRESETS, READER, SWITCHES, WRITER, choices, play, script, start, step } from '../../tutorial/site/theme/stepper.mjs'
import { words } from '../../tutorial/site/theme/words.mjs'

let failed = 0
let count = 0
function is(got, expected, what) {
	const passed = JSON.stringify(got) === JSON.stringify(expected)
	console.log(`${passed ? 'ok' : 'not ok'} ${++count} - ${what}`)
	if (!passed) {
		console.log(`# expected  ${JSON.stringify(expected)}\n# got       ${JSON.stringify(got)}`)
		failed++
	}
}
const without = (...off) => Object.fromEntries(Object.keys(ON).map((id) => [id, !off.includes(id)]))

// Breadth first, every state once; the watchdog comes once at most. Gives the first fault, and how many
// answers there were.
function search(on, length, from = start(), watched = false) {
	let level = [[from, watched]]
	let answers = 0
	const seen = new Set()
	for (let at = 0; at < length; at++) {
		const next = []
		for (const [state, watched] of level) {
			const can = choices(state, on)
			for (const who of watched ? ['reader', 'writer'] : ['reader', 'writer', 'watchdog'])
				for (const id of can[who]) {
					const then = step(state, on, `${who}:${id}`)
					if (then.answers.length > state.answers.length) {
						answers++
						if (then.answers.at(-1).fault)
							return { fault: then.answers.at(-1).fault, answers }
					}
					const after = [then, watched || who === 'watchdog']
					const key = JSON.stringify([{ ...then, event: null }, after[1]])
					if (!seen.has(key))
						seen.add(key), next.push(after)
				}
		}
		level = next
	}
	return { fault: null, answers }
}

const whole = search(ON, 15)
is(whole.fault, null, 'with all barriers and checks no order of steps gives a wrong time')
is(whole.answers > 100, true, `and there were answers to look at: ${whole.answers}`)
// What the watchdog changes shows later: from where it has come in the middle of an update.
const stopped = play(script('7w d'), ON)
is(search(ON, 13, stopped, true).fault, null, 'nor after the watchdog has come in the middle of an update')

for (const [off, fault] of [['odd', 'torn'], ['look', 'torn'], ['fence', 'torn'], ['first', 'torn'], ['release', 'torn']])
	is(search(without(off), 14).fault, fault, `without "${off}" some order gives a torn time`)
is(search(without('cas'), 10, play(script('7w d 2r'), without('cas')), true).fault, 'back', 'without "cas" the clock can go back')
is(search(without('acquire'), 12).fault, null, 'without "acquire" alone the counter keeps the order, as the page says')
const ahead = without('acquire', 'counter')
is(search(ahead, 11, play(script('r:mode r:count r:last r:mult r:nsec'), ahead)).fault, 'torn', 'without both a time can be torn')

for (const preset of PRESETS) {
	const on = without(...preset.off)
	const end = play(script(preset.script), on)
	is(end && [...new Set(end.answers.map((one) => one.fault))].filter(Boolean), preset.fault ? [preset.fault] : [],
		`preset "${preset.id}" leads to ${preset.fault ?? 'a right answer'}`)
	is(end?.answers.length > 0 && end.event.result !== undefined, true, `preset "${preset.id}" ends with an answer`)
	if (preset.fault) {
		const order = script(preset.script).every((action) => !action.includes(':'))
		const repaired = order ? play(script(preset.script), ON) : null
		is(repaired?.answers.some((one) => one.fault) ?? false, false, `preset "${preset.id}": with everything on the same steps do no harm`)
	}
}
is(SWITCHES.every(({ id }) => PRESETS.some((preset) => preset.off.includes(id))), true, 'each switch has a preset that shows what it is for')
is(step(start(), ON, 'reader:sec'), null, 'what a barrier keeps in order cannot be taken out of order')
is(choices(start(), ON), { reader: [READER[0].id], writer: [WRITER[0].id], watchdog: ['abandon'] }, 'with all barriers there is one next step each')

// Words: both languages have the same, and for all there is.
const shape = (value) => (typeof value === 'object' ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key])])) : typeof value)
is(shape(words['zh-CN']), shape(words.en), 'both languages have the same words')
for (const [name, table, ids] of [
	['preset', words.en.stepper.presets, PRESETS], ['preset', words.en.stepper.about, PRESETS], ['switch', words.en.stepper.switch, SWITCHES],
])
	is(Object.keys(table).sort(), ids.map(({ id }) => id).sort(), `each ${name} has its words`)
console.log(`1..${count}`)
process.exit(failed ? 1 : 0)
