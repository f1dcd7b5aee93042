// What the site does with a page that was written for a forge, while markdown-it has it in pieces.
//
// - The directives (<!-- run: ... -->) go. Those that say where a listing stands become its caption.
// - Links lead to pages of the site, in the reader's language; those to other files of the project
//   to a copy of the file.
// - A diagram has light and dark colours inside, and follows the system. On the site the reader can
//   choose otherwise, so each diagram is there twice, and the theme shows one.
// - Of a console block the button copies what is typed, and neither prompt nor output.
import { posix } from 'node:path'

// As forges make them, and as the project's own test of links does.
export function slugify(text) {
	return text.toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, '').replace(/ /g, '-')
}

const caption = {
	en: { from: '', write: 'a new file: ', insert: 'to be put into ' },
	'zh-CN': { from: '', write: '新文件：', insert: '插入：' },
}

const escape = (text) => text.replace(/[&<>"{}]/g, (c) => `&#${c.charCodeAt(0)};`)

// '' becomes nothing: markdown-it prints it so.
function directive(content, lang) {
	const [, key, value] = /^\s*<!--\s*(\w*):?\s*(.*?)\s*-->\s*$/s.exec(content) ?? []
	if (key === undefined)
		return content
	if (!(key in caption.en))
		return ''
	const [path, name] = value.split(/ (?:after|before)=/)[0].split('#')
	const shown = name && /\(\)$|^(struct|union|enum) /.test(name) ? `, <code>${escape(name)}</code>` : ''
	return `<p class="listing">${caption[lang][key]}<code>${escape(path)}</code>${shown}</p>\n`
}

export function sitePages(md, course) {
	const pages = new Set(course.pages.map((page) => page.name))

	function link(token, from, prefix) {
		const href = token.attrGet('href')
		if (/^([a-z]+:|#|\/)/.test(href))
			return true
		const [path, anchor] = decodeURI(href).split('#')
		const target = posix.join(from, path).replace(/\/$/, '')
		const suffix = anchor === undefined ? '' : `#${anchor}`
		const [, name] = /^tutorial\/(?:site\/)?(?:zh-CN\/)?([^/]+)\.md$/.exec(target) ?? []
		if (name === 'README' || target === 'tutorial' || target === 'tutorial/zh-CN')
			token.attrSet('href', `${target === 'tutorial/zh-CN' ? '/zh-CN/' : prefix}course.md${suffix}`)
		else if (pages.has(name))
			token.attrSet('href', `${prefix}${name}.md${suffix}`)
		else if (course.files.includes(target)) {
			token.attrSet('href', `/source/${target}.txt`)
			token.attrSet('target', '_blank')
		} else
			return false
		return true
	}

	md.core.ruler.push('course', (state) => {
		const { relativePath = '', frontmatter = {} } = state.env
		const lang = relativePath.startsWith('zh-CN/') ? 'zh-CN' : 'en'
		const prefix = lang === 'en' ? '/' : `/${lang}/`
		const from = frontmatter.dir ?? 'tutorial'
		const up = lang === 'en' ? './' : '../'

		state.tokens.forEach((token, at) => {
			if (token.type === 'html_block')
				token.content = directive(token.content, lang)
			if (token.type !== 'inline')
				return
			const dead = []
			token.children = token.children.flatMap((child) => {
				if (child.type === 'link_open') {
					dead.push(!link(child, from, prefix))
					return dead.at(-1) ? [] : [child]
				}
				if (child.type === 'link_close')
					return dead.pop() ? [] : [child]
				if (child.type === 'html_inline' && /^<!--/.test(child.content))
					return []
				const svg = child.type === 'image' && /([\w.-]+)\.svg$/.exec(child.attrGet('src'))
				if (!svg)
					return [child]
				return ['light', 'dark'].map((theme) => {
					const image = Object.assign(new state.Token('image', 'img', 0), child)
					image.attrs = child.attrs.map((attr) => [...attr])
					image.attrSet('src', `${up}img/${svg[1]}.${theme}.svg`)
					image.attrSet('class', `only-${theme}`)
					return image
				})
			})
			if (token.children.length && token.children.every((child) => child.type === 'image')) {
				state.tokens[at - 1].tag = state.tokens[at + 1].tag = 'figure'
				state.tokens[at - 1].attrSet('class', 'diagram')
				state.tokens[at - 1].attrSet('tabindex', '0') // on a phone it is scrolled, by keyboard as well
			}
		})
	})
}

const span = (kind, text) => ({
	type: 'element', tagName: 'span', properties: { class: kind }, children: [{ type: 'text', value: text }],
})

// A command is a line after "$ "; a line after a backslash belongs to it. The rest is what it printed.
export const consoleBlocks = {
	name: 'course:console',
	code(node) {
		if (this.options.lang !== 'console')
			return
		let goesOn = false
		let first = true
		node.children = []
		for (const line of this.source.replace(/\n$/, '').split('\n')) {
			const command = goesOn ? line : line.startsWith('$ ') ? line.slice(2) : undefined
			const newline = node.children.length ? '\n' : ''
			if (command === undefined) {
				node.children.push(span('output vp-copy-ignore', newline + line))
				continue
			}
			// The newline before the first command must not be copied, before the others it must.
			node.children.push(first ? span('vp-copy-ignore', newline) : { type: 'text', value: newline })
			if (!goesOn)
				node.children.push(span('prompt vp-copy-ignore', '$ '))
			node.children.push(span('command', command))
			goesOn = command.endsWith('\\')
			first = false
		}
	},
}
