// The byte map without a browser: which span a byte belongs to, where a key leads, what is said of it.
// The data is made by tutorial/lib/Course/Bytes.pm, which says what it contains.

export const COLUMNS = 16

// The data, and for each byte the number of its span.
export function open(map) {
	const of = new Uint16Array(map.size)
	map.spans.forEach(([at, size], number) => of.fill(number, at, at + size))
	return { ...map, of, at: (byte) => map.bytes.slice(2 * byte, 2 * byte + 2) }
}

// Where a key leads from a byte, or undefined if it leads nowhere.
export function move(map, byte, key) {
	const row = byte - (byte % COLUMNS)
	const [start, size] = map.spans[map.of[byte]]
	const to = {
		ArrowLeft: byte - 1, ArrowRight: byte + 1, ArrowUp: byte - COLUMNS, ArrowDown: byte + COLUMNS,
		Home: row, End: Math.min(row + COLUMNS, map.size) - 1,
		PageUp: byte - 8 * COLUMNS, PageDown: byte + 8 * COLUMNS,
		n: start + size, p: start > 0 ? map.spans[map.of[start - 1]][0] : -1,
	}[key]
	return to === undefined ? undefined : to >= 0 && to < map.size ? to : byte
}

// The first byte of each part, in the order of the image.
export function parts(map) {
	const first = new Map()
	for (const [at, , part] of map.spans)
		if (!first.has(part))
			first.set(part, at)
	return [...first].map(([part, at]) => ({ part, at }))
}

export const hex = (number) => `0x${number.toString(16)}`

// What is said of a byte.
export function describe(map, byte, say) {
	const [at, size, part, name, value, readers] = map.spans[map.of[byte]]
	// "PT_LOAD: p_flags" and "chain[2]: time" have their notes by "p_flags" and "chain".
	const note = say.note[name.split(': ').at(-1)] ?? say.note[name.split('[')[0]] ?? ''
	return {
		at, size, part: say.part[part] ?? part, section: part.startsWith('.') ? part : '', name: name === part ? '' : name, value, note,
		where: say.at(hex(at), size), bytes: size <= 16 ? map.bytes.slice(2 * at, 2 * (at + size)).replace(/..(?=.)/g, '$& ') : '',
		readers: (readers || 'nobody').split(' ').map((reader) => say.reader[reader] ?? reader),
	}
}
