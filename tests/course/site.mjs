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
import { PRESETS } from '../../tutorial/site/theme/stepper.mjs'

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
const fences = (path) => [...readFileSync(path, 'utf8').matchAll(/^(?:<!--.*-->\n)?```.*?^```$/gms)].map(([fence]) => fence)
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
	env: { ...process.env, UVDSO_BUILD: resolve(process.env.UVDSO_BUILD ?? 'build'), COURSE_OUT: join(dir, 'out'), NO_COLOR: '1' } })
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
const names = course.pages.map((page) => page.name)
const chapters = course.pages.filter((page) => page.number)
const out = join(dir, 'out')
const html = (path) => (existsSync(join(out, path)) ? readFileSync(join(out, path), 'utf8') : '')
const prose = (path) => html(path).replace(/<(code|pre)[ >].*?<\/\1>/gs, '')
const paths = ['index', ...names].flatMap((name) => [`${name}.html`, `zh-CN/${name}.html`])

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

	// From the map to the last page by "next", and one back.
	await open(page, `${names[0]}.html`)
	const way = []
	for (let step = 0; step < names.length + 1; step++) {
		way.push(new URL(page.url()).pathname.replace(/^\/|\.html$/g, ''))
		const next = page.locator('.pager-link.next')
		if (!await next.count())
			break
		await Promise.all([page.waitForURL((url) => !url.pathname.endsWith(`${way.at(-1)}.html`)), next.click()])
		await page.waitForTimeout(100)
	}
	same(way, names, 'next leads from the map through all the other pages', 'it is the way through the course')
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

	// The front page: what this is, on the first screen.
	await open(page, 'index.html')
	const seen = await page.evaluate(() => ['.VPHero .text', '.VPHero .actions', '.language-console'].filter((one) =>
		document.querySelector(one)?.getBoundingClientRect().bottom > innerHeight || !document.querySelector(one)))
	same(seen, [], 'the front page says what this is, where to start, and shows a run, all on the first screen', 'a visitor stays for ten seconds')
	same(await scheme().then(({ shown }) => shown.length), 1, 'and the picture, once', 'one of its two colours is hidden')
	await page.locator('.VPHero .actions a').first().click()
	ok(await reached(page, '00-setup.html'), '"Start here" leads to the first chapter', `got  ${page.url()}`)
	same(fences('tutorial/site/zh-CN/front.md'), fences('tutorial/site/front.md'), 'the front page shows the same run in both languages', 'only one of them is executed')

	// The stepper, by mouse and by keys.
	await open(page, '06-seqlock.html')
	await page.locator('.vp-doc a', { hasText: 'stepper' }).first().click()
	ok(await reached(page, 'stepper.html'), 'chapter 06 leads to the stepper', `got  ${page.url()}`)
	const select = page.locator('#stepper-preset')
	const fault = page.locator('.stepper .said .fault')
	const results = []
	for (const preset of await select.locator('option').evaluateAll((all) => all.map((one) => one.value))) {
		await select.selectOption(preset)
		for (let step = 0; step < 60 && await page.locator('.stepper .next.main').isEnabled(); step++)
			await page.locator('.stepper .next.main').click()
		results.push([preset, await page.locator('.stepper .answers li').last().getAttribute('class').catch(() => 'none')])
	}
	same(results.map(([preset, result]) => `${preset}: ${result}`), PRESETS.map(({ id, fault }) => `${id}: ${fault ?? 'right'}`),
		'each preset of the stepper ends with the answer that it promises', 'the model and the page must say the same')
	await select.selectOption('look')
	await page.locator('.stepper').focus()
	await page.keyboard.type('nnnnnnnnnnnnnnnn')
	ok(await fault.isVisible(), 'by the key n a preset can be played to its fault')
	await page.keyboard.type('b')
	ok(!await fault.isVisible(), 'b takes the last step back')
	await page.keyboard.type('0rw')
	const [read, wrote] = await Promise.all(['reader', 'writer'].map((who) => page.locator(`.stepper .program.${who} li.done`).count()))
	same([read, wrote], [1, 1], '0 starts over, r and w take a step of the reader and of the writer', 'it must be usable without a mouse')
	await page.locator('.stepper input[name=fence]').uncheck()
	await page.locator('.stepper').focus()
	await page.keyboard.type('rrr')
	ok(await page.locator('.stepper button.early').count() === 1, 'without the fence there is a step out of order')
	await page.keyboard.type('R')
	ok(await page.locator('.stepper .program.reader li.done').last().getByText('vdso_read_retry()').isVisible(), 'which R takes')

	// The byte map.
	await open(page, 'bytes.html')
	await page.locator('.bytemap i').first().waitFor()
	const told = () => page.locator('.bytemap .told').innerText()
	await page.locator('.bytemap i[data-at="32"]').hover()
	ok((await told()).includes('e_phoff') && (await told()).includes('musl'), 'pointing at a byte says what it is and who reads it', await told())
	await page.locator('.bytemap .grid').focus()
	await page.keyboard.press('ArrowUp')
	await page.keyboard.press('ArrowLeft')
	ok((await told()).includes('EI_PAD') && (await told()).includes('nobody'), 'and so do the arrow keys', await told())
	await page.locator('.bytemap button[data-part=".dynsym"]').click()
	ok((await told()).includes('.dynsym') && await page.locator('.bytemap i.here').isVisible(), 'a button leads to each part', await told())
	const silent = await page.locator('.bytemap i').count()
	same(silent, JSON.parse(readFileSync(join(out, 'bytes.json'), 'utf8')).size, 'there is a cell for each byte of the image', 'it is a map of all of it')
	await open(page, 'zh-CN/bytes.html')
	await page.locator('.bytemap i').first().waitFor()
	ok((await told()).includes('ELF 头'), 'in Chinese it speaks Chinese', await told())
	await open(page, 'zh-CN/stepper.html')
	await page.locator('#stepper-preset').selectOption('odd')
	while (await page.locator('.stepper .next.main').isEnabled())
		await page.locator('.stepper .next.main').click()
	ok((await fault.innerText()).includes('撕裂'), 'and so does the stepper', await fault.innerText())
	await page.context().close()

	// A phone.
	const phone = await visitor({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, colorScheme: 'dark' })
	const wide = []
	for (const path of [...paths.filter((path) => !path.startsWith('zh-CN/')), 'zh-CN/index.html', 'zh-CN/00-setup.html', 'zh-CN/stepper.html', 'zh-CN/bytes.html']) {
		await phone.goto(`${site}/${path}`)
		const [content, screen] = await phone.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
		if (content > screen)
			wide.push(`${path}: ${content} of ${screen}`)
	}
	none(wide, 'on a narrow screen no page is wider than the screen', 'a text that must be moved to be read is not read')
	await phone.goto(`${site}/bytes.html`)
	await phone.locator('.bytemap i[data-at="18"]').tap()
	ok((await phone.locator('.bytemap .told').innerText()).includes('e_machine') && await phone.locator('.bytemap .told').isVisible(), 'a finger on a byte of the map says what it is')
	await phone.goto(`${site}/stepper.html`)
	await phone.locator('.stepper button.reader').tap()
	const [button, page_] = await phone.evaluate(() => ['.stepper .buttons', '.stepper .shared'].map((one) => document.querySelector(one).getBoundingClientRect()).map(({ top, bottom }) => bottom - top))
	ok(button + page_ < 600, 'the buttons of the stepper and the data page fit on one screen of it', `${button} + ${page_}`)
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
