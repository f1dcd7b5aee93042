// site.mjs - the site of the course as a reader meets it: rendered, served, and opened in chromium.
//
// The course is a copy of tutorial/ with two translations put into it, one that is up to date and one
// that is stale, in place of those that it may have. The browser can resolve no name, and every request that a page makes is noted.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const modules = resolve(process.env.UVDSO_BUILD ?? 'build', 'site/node_modules')
const { chromium } = await import(pathToFileURL(join(modules, 'playwright-core/index.mjs')))

let count = 0
let failed = 0
const say = (...lines) => lines.forEach((line) => console.log(`${line}`.replace(/^/gm, '# ')))
function ok(passed, name, ...why) {
	console.log(`${passed ? 'ok' : 'not ok'} ${++count} - ${name}`)
	if (!passed) {
		failed++
		say(...why)
	}
	return passed
}
const list = (found) => (found.length ? found.join('\n') : '(none)')
const same = (got, expected, name, why) => ok(JSON.stringify(got) === JSON.stringify(expected), name,
	`expected  ${JSON.stringify(expected)}`, `got       ${JSON.stringify(got)}`, `why: ${why}`)
const none = (found, name, why) => ok(!found.length, name, 'expected  (none)', `got       ${list(found)}`, `why: ${why}`)

// ---- render ---------------------------------------------------------------------------------------
const dir = mkdtempSync(join(tmpdir(), 'uvdso-site-'))
process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
for (const signal of ['SIGTERM', 'SIGINT'])
	process.on(signal, () => process.exit(1))

cpSync('tutorial', join(dir, 'tutorial'), { recursive: true, filter: (path) => !/node_modules/.test(path) })
const run = (cwd, command, ...args) => spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 90000,
	env: { ...process.env, COURSE_OUT: join(dir, 'out'), NO_COLOR: '1' } })
mkdirSync(join(dir, 'tutorial/zh-CN'), { recursive: true })
for (const [name, stale] of [['00-setup', false], ['06-seqlock', true]]) {
	const hash = run(dir, 'tutorial/learn', 'hash', name.slice(0, 2)).stdout
	const text = readFileSync(join(dir, `tutorial/${name}.md`), 'utf8').replace(/^(# \d\d ).*/, '$1中文标题\n\n共享内存里的时钟')
	writeFileSync(join(dir, `tutorial/zh-CN/${name}.md`), (stale ? hash.replace(/[0-9a-f]{12}/, '0123456789ab') : hash) + text.replaceAll('](img/', '](../img/').replaceAll('](kernel-refs', '](../kernel-refs'))
}
const staged = run(dir, 'tutorial/learn', 'site', 'site')
symlinkSync(modules, join(dir, 'site/node_modules'))
const built = run(join(dir, 'site'), join(modules, '.bin/vitepress'), 'build')
if (!ok(staged.status === 0 && built.status === 0, 'VitePress renders the course, and finds no dead link',
	staged.stderr, built.stdout, built.stderr)) {
	console.log(`1..${count}`)
	process.exit(1)
}
const course = JSON.parse(readFileSync(join(dir, 'site/course.json'), 'utf8'))
const names = ['index', ...course.pages.map((page) => page.name)]
const chapters = course.pages.filter((page) => page.number)
const out = join(dir, 'out')
const html = (path) => (existsSync(join(out, path)) ? readFileSync(join(out, path), 'utf8') : '')
const prose = (path) => html(path).replace(/<(code|pre)[ >].*?<\/\1>/gs, '')
const paths = names.flatMap((name) => [`${name}.html`, `zh-CN/${name}.html`])

none(paths.filter((path) => !existsSync(join(out, path))), 'every page is there, and in both languages',
	'the language switch leads from a page to the same page')
none(paths.filter((path) => /<!--\s*(run|from|write|insert|translates):|&lt;!--\s*(run|from):/.test(prose(path))),
	'no directive of the tests is on a page', 'a reader who meets one takes it for a part of the text')

// Every link of every page: VitePress looks at pages, and at nothing within them.
const broken = []
for (const path of paths)
	for (const [, href] of html(path).matchAll(/<a [^>]*?href="([^"]+)"/g)) {
		const url = new URL(href, `http://site/${path}`)
		const target = decodeURI(url.pathname).replace(/\/$/, '/index.html').slice(1)
		if (/^(mailto:|https?:)/.test(href))
			continue
		if (!existsSync(join(out, target)))
			broken.push(`${path}: ${href}: no such file`)
		else if (url.hash.length > 1 && !html(target).includes(`id="${decodeURIComponent(url.hash.slice(1))}"`))
			broken.push(`${path}: ${href}: no such place on the page`)
	}
none(broken, 'every link leads to a page that is there, and to a heading that it has', 'dead links are noticed by readers only')

// ---- serve ----------------------------------------------------------------------------------------
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml',
	'.json': 'application/json', '.txt': 'text/plain' }
const server = createServer((request, response) => {
	const path = decodeURI(new URL(request.url, 'http://site').pathname).replace(/\/$/, '/index.html')
	const file = join(out, path)
	if (!existsSync(file)) {
		response.writeHead(404).end()
		return
	}
	response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file))
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const site = `http://127.0.0.1:${server.address().port}`

// ---- read -----------------------------------------------------------------------------------------
const browser = await chromium.launch({
	executablePath: process.argv[2],
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
})
const complaints = []
const requests = []
async function visitor(options) {
	const context = await browser.newContext({ colorScheme: 'light', viewport: { width: 1300, height: 900 }, ...options })
	await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: site })
	context.setDefaultTimeout(15000)
	const page = await context.newPage()
	page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(`${page.url()}: ${message.text()}`))
	page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error}`))
	page.on('request', (request) => requests.push(request.url()))
	page.on('requestfailed', (request) => request.failure()?.errorText !== 'net::ERR_ABORTED' && complaints.push(`${request.url()}: ${request.failure()?.errorText}`))
	page.on('response', (response) => response.status() >= 400 && complaints.push(`${response.url()}: ${response.status()}`))
	return page
}
// Whether a click has led there.
const reached = (page, path) => page.waitForURL(`${site}/${path}`, { timeout: 5000 }).then(() => true, () => false)
const open = (page, path) => page.goto(`${site}/${path}`, { waitUntil: 'networkidle' })

async function looks() {
	const page = await visitor()

	// Search: in English by a name of the source, in Chinese by a word within a sentence.
	await open(page, 'index.html')
	const search = async (word) => {
		await page.locator('.DocSearch-Button').click()
		await page.locator('.search-input').fill(word)
		await page.locator('.results .result').first().waitFor({ timeout: 5000 }).catch(() => {}) // none: the test says so
		const found = await page.locator('.results .result').evaluateAll((links) => links.map((link) => new URL(link.href).pathname))
		await page.keyboard.press('Escape')
		return found
	}
	const found = await search('vdso_read_retry')
	ok(found[0] === '/06-seqlock.html', 'the search finds a function in the chapter that explains it',
		'expected  /06-seqlock.html', `got       ${list(found)}`, 'why: who looks for a name looks for its chapter')
	await open(page, 'zh-CN/index.html')
	const chinese = await search('时钟')
	ok(chinese.some((path) => path.startsWith('/zh-CN/0')), 'in Chinese it finds a word that stands within a sentence',
		'expected  /zh-CN/...', `got       ${list(chinese)}`, 'why: Chinese has no blanks, and needs a search that knows its words')

	// Light and dark, by the switch and by nothing else; diagrams, too.
	await open(page, '06-seqlock.html')
	const scheme = () => page.evaluate(() => ({
		paper: getComputedStyle(document.body).backgroundColor,
		shown: [...document.querySelectorAll('.diagram img')].filter((image) => image.offsetWidth).map((image) => image.className),
	}))
	const light = await scheme()
	await page.locator('.VPNavBarAppearance button').click()
	await page.waitForTimeout(600)
	const dark = await scheme()
	ok(light.paper !== dark.paper && light.paper === 'rgb(255, 255, 255)', 'the switch makes a light page dark',
		`light: ${light.paper}, dark: ${dark.paper}`, 'why: many read at night')
	same([light.shown, dark.shown], [['only-light'], ['only-dark']], 'a diagram has the colours that the switch says',
		'the colours inside follow the system, and the reader may have chosen otherwise')
	await page.reload({ waitUntil: 'networkidle' })
	same((await scheme()).paper, dark.paper, 'the choice is kept', 'nobody wants to choose on every page')

	// What a copy button copies: what is typed.
	const source = readFileSync('tutorial/06-seqlock.md', 'utf8')
	const typed = [...source.matchAll(/^```console\n(.*?)^```$/gms)].map(([, body]) => {
		let goesOn = false
		return body.split('\n').filter((line) => {
			const command = goesOn || line.startsWith('$ ')
			goesOn = command && line.endsWith('\\')
			return command
		}).map((line) => line.replace(/^\$ /, '')).join('\n')
	})
	const blocks = page.locator('.language-console')
	const copied = []
	for (let at = 0; at < await blocks.count(); at++) {
		await blocks.nth(at).hover()
		await blocks.nth(at).locator('button.copy').click()
		await page.waitForTimeout(50)
		copied.push(await page.evaluate(() => navigator.clipboard.readText()))
	}
	same(copied, typed, 'of a console block the button copies the commands, without prompt and output',
		'what is pasted into a shell is executed')
	const bare = await page.locator('.vp-doc div[class*="language-"]').evaluateAll((all) => all.filter((block) => !block.querySelector('button.copy')).length)
	same(bare, 0, 'every block has a copy button', 'it is what a reader expects of a course')

	// From the first page to the last by "next", and one back.
	await open(page, 'index.html')
	const way = []
	for (let step = 0; step < names.length + 1; step++) {
		way.push(new URL(page.url()).pathname.replace(/^\/|\.html$/g, '') || 'index')
		const next = page.locator('.pager-link.next')
		if (!await next.count())
			break
		await Promise.all([page.waitForURL((url) => !url.pathname.endsWith(`${way.at(-1)}.html`)), next.click()])
		await page.waitForTimeout(100)
	}
	same(way, names, 'next leads from the first page through all the others', 'it is the way through the course')
	await page.locator('.pager-link.prev').click()
	ok(await reached(page, `${names.at(-2)}.html`), 'and previous leads back', `got  ${page.url()}`)

	// Progress.
	const shown = () => page.evaluate(() => ({
		ticks: [...document.querySelectorAll('.tick')].filter((tick) => getComputedStyle(tick, '::before').content.includes('✓')).map((tick) => tick.className),
		bar: document.querySelector('.progress progress').value,
	}))
	await open(page, '06-seqlock.html')
	const before = await shown()
	await page.locator('.mark').click()
	await page.reload({ waitUntil: 'networkidle' })
	const after = await shown()
	same([before, after], [{ ticks: [], bar: 0 }, { ticks: ['tick tick-06'], bar: 1 }],
		'a chapter that is marked has a tick, and still has it when the page is loaded again', 'a course is read on many days')
	await open(page, 'zh-CN/00-setup.html')
	same((await shown()).ticks, ['tick tick-06'], 'in the other language, too', 'it is one course')
	await page.evaluate(() => localStorage.setItem('uvdso-course-done', '{"not":"ours'))
	await open(page, '06-seqlock.html')
	await page.locator('.mark').click()
	same(await shown(), { ticks: ['tick tick-06'], bar: 1 }, 'what somebody else has stored there does no harm', 'a page that stumbles over it keeps no progress any more')

	// Languages.
	const banner = () => page.evaluate(() => [...document.querySelectorAll('.banner')].map((one) => one.className))
	await open(page, '00-setup.html')
	await page.locator('.VPNavBarTranslations button').hover()
	await page.locator('.VPNavBarTranslations a').click()
	ok(await reached(page, 'zh-CN/00-setup.html'), 'the language switch leads to the same chapter', `got  ${page.url()}`,
		'why: who changes the language wants to read on')
	await page.locator('h1', { hasText: '中文标题' }).waitFor({ timeout: 5000 }).catch(() => {})
	same(await banner(), [], 'a translation that is up to date has no banner', 'there is nothing to warn of')
	await open(page, 'zh-CN/06-seqlock.html')
	same(await banner(), ['banner stale'], 'a translation whose original has changed says so', 'it may say what is no longer true')
	await page.locator('.banner a').click()
	ok(await reached(page, '06-seqlock.html'), 'and leads to the original', `got  ${page.url()}`)
	await open(page, 'zh-CN/WRITING.html')
	same(await banner(), ['banner'], 'a page without a translation is there in English, and says so', 'a dead end would end the course')
	await page.context().close()

	// A phone.
	const phone = await visitor({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, colorScheme: 'dark' })
	const wide = []
	for (const path of [...names.map((name) => `${name}.html`), 'zh-CN/00-setup.html']) {
		await phone.goto(`${site}/${path}`)
		const [content, screen] = await phone.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
		if (content > screen)
			wide.push(`${path}: ${content} of ${screen}`)
	}
	none(wide, 'on a narrow screen no page is wider than the screen', 'a text that must be moved to be read is not read')
	await phone.locator('.VPLocalNav .menu').tap()
	await phone.locator('.VPSidebar.open .link').last().waitFor()
	ok(await phone.locator('.VPSidebar.open .item .link').count() === names.length, 'and the list of chapters opens there')
	await phone.context().close()
}

try {
	await looks()
} catch (error) {
	ok(false, 'the browser does what it is told', error.stack)
}
await browser.close()
server.close()
none([...new Set(requests)].filter((url) => !url.startsWith(`${site}/`) && !url.startsWith('data:')), 'no request leaves the host',
	'the site is for reading without a network, and tells nobody who reads it')
ok(requests.length > 50, 'and there were requests to look at', `got  ${requests.length}`)
none(complaints, 'the console of the browser has no complaint', 'it is where a broken page says so')
console.log(`1..${count}`)
process.exit(failed ? 1 : 0)
