// bytes.mjs - the byte map without a browser: what is said of each byte, and where the keys lead.
import { readFileSync } from 'node:fs'
import { COLUMNS, describe, move, open, parts } from '../../tutorial/site/theme/bytes.mjs'
import { words } from '../../tutorial/site/theme/words.mjs'

const map = open(JSON.parse(readFileSync(process.argv[2], 'utf8')))
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
const all = [...Array(map.size).keys()]

for (const [language, { bytes: say }] of Object.entries(words)) {
	const silent = all.filter((byte) => {
		const told = describe(map, byte, say)
		return !told.part || !told.readers.every((reader) => reader && !/^[a-z]*undefined/.test(reader)) || !(told.value || told.note || told.name)
			|| byte < told.at || byte >= told.at + told.size
	})
	is(silent, [], `${language}: every byte has its part, its readers and something to say`)
	is(all.filter((byte) => !(map.spans[map.of[byte]][2] in say.part)), [], `${language}: every part has a name`)
}
const said = describe(map, 0, words.en.bytes)
is([said.part, said.name, said.value, said.bytes], ['ELF header', 'EI_MAG', '7f "ELF"', '7f 45 4c 46'], 'the first byte is that of an ELF file')

is(['ArrowLeft', 'ArrowUp', 'PageUp', 'p'].map((key) => move(map, 0, key)), [0, 0, 0, 0], 'no key leads out of the image, in front')
is(['ArrowRight', 'ArrowDown', 'PageDown', 'n'].map((key) => move(map, map.size - 1, key)), Array(4).fill(map.size - 1), 'nor at its end')
is([move(map, 20, 'ArrowRight'), move(map, 20, 'ArrowDown'), move(map, 20, 'Home'), move(map, 20, 'End'), move(map, 20, 'x')], [21, 20 + COLUMNS, 16, 31, undefined], 'arrows move by a byte or a row')
const fields = []
for (let byte = 0, before = -1; byte !== before; before = byte, byte = move(map, byte, 'n'))
	fields.push(byte)
is(fields, map.spans.map(([at]) => at), '"n" leads through all fields')
const back = []
for (let byte = fields.at(-1), before = -1; byte !== before; before = byte, byte = move(map, byte, 'p'))
	back.unshift(byte)
is(back, fields, 'and "p" through all of them back')
is(parts(map).map(({ at }) => at).every((at, i, list) => i === 0 || at > list[i - 1]), true, 'the parts are in the order of the image')
is(parts(map).length <= 18, true, 'and there is a colour for each')
console.log(`1..${count}`)
process.exit(failed ? 1 : 0)
