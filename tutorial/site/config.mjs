// The site of the course, for VitePress. `tutorial/learn site` puts this file, theme/ and the
// pages into build/site, with course.json, which lists the pages; `make tutorial` runs it there.
//
// The pages are what a forge shows as they are. Whatever the site does with them beyond that is
// in pages.mjs, so that no page is written for the site.
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { consoleBlocks, slugify, sitePages } from './pages.mjs'

const course = JSON.parse(readFileSync('course.json', 'utf8'))

const words = {
	root: {
		core: 'The core path', deep: 'Deeper, in any order', play: 'To play with', around: 'Around it', map: 'The course',
		theme: { outline: { label: 'On this page', level: [2, 3] } },
	},
	'zh-CN': {
		core: '主线', deep: '深入，顺序任意', play: '互动演示', around: '其他', map: '课程',
		theme: {
			outline: { label: '本页内容', level: [2, 3] },
			docFooter: { prev: '上一章', next: '下一章' },
			darkModeSwitchLabel: '外观', lightModeSwitchTitle: '切换到浅色', darkModeSwitchTitle: '切换到深色',
			sidebarMenuLabel: '目录', returnToTopLabel: '回到顶部', langMenuLabel: '切换语言',
			notFound: { title: '没有这一页', quote: '', linkText: '回到课程首页', linkLabel: '回到课程首页' },
		},
	},
}

// A tick stands behind each chapter that is done; theme/progress.mjs says which.
function sidebar(locale) {
	const parts = words[locale]
	const prefix = locale === 'root' ? '/' : `/${locale}/`
	const item = (page) => {
		const text = page.titles[locale] ?? page.titles.root
		const plain = text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)
		const tick = page.number ? `<i class="tick tick-${page.number}"></i>` : ''
		return { text: plain + tick, docFooterText: plain, link: prefix + page.name }
	}
	const part = (name) => course.pages.filter((page) => page.part === name).map(item)
	return [...part('map').map((one) => ({ ...one, text: parts.map, docFooterText: parts.map })),
		...['core', 'deep', 'play', 'around'].map((name) => ({ text: parts[name], items: part(name) })).filter((group) => group.items.length)]
}

const locale = (name, label, lang) => ({
	label, lang,
	...(name === 'root' ? {} : { link: `/${name}/` }),
	themeConfig: {
		sidebar: sidebar(name),
		nav: [],
		...words[name].theme,
	},
})

// The search has words of Latin letters, and names with their underscores in one piece and in parts.
// Chinese has no blanks: there the browser knows where a word ends.
function tokenize(text) {
	const found = []
	for (const [piece] of text.matchAll(/[\p{L}\p{N}_]+/gu)) {
		if (/\p{Script=Han}/u.test(piece))
			for (const { segment } of new Intl.Segmenter('zh', { granularity: 'word' }).segment(piece))
				found.push(segment)
		else
			found.push(...new Set([piece, ...piece.split('_').filter(Boolean)]))
	}
	return found
}

export default defineConfig({
	title: 'uvdso',
	description: 'A course: build your own vDSO in userspace',
	base: process.env.COURSE_BASE ?? '/',
	srcDir: 'pages',
	outDir: process.env.COURSE_OUT ?? '../tutorial',
	head: [['link', { rel: 'icon', href: 'data:,' }]], // else every browser asks for /favicon.ico
	locales: {
		root: locale('root', 'English', 'en'),
		'zh-CN': locale('zh-CN', '简体中文', 'zh-CN'),
	},
	themeConfig: {
		course: { chapters: course.pages.filter((page) => page.number).map((page) => page.number) },
		search: {
			provider: 'local',
			options: {
				miniSearch: { options: { tokenize } },
				locales: {
					'zh-CN': {
						translations: {
							button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
							modal: {
								displayDetails: '显示详情', resetButtonTitle: '清空', backButtonTitle: '返回',
								noResultsText: '没有找到', footer: { selectText: '打开', navigateText: '选择', closeText: '关闭' },
							},
						},
					},
				},
			},
		},
	},
	markdown: {
		languageAlias: { ld: 'c' },
		anchor: { slugify },
		toc: { slugify },
		codeTransformers: [consoleBlocks],
		config: (md) => sitePages(md, course),
	},
	vite: {
		build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 2000 },
	},
})
