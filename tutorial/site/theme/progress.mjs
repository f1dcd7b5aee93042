// Which chapters the reader has ticked. It is kept in the browser, and nowhere else; in a window
// whose storage is denied it lasts as long as the page.
import { reactive, watchEffect } from 'vue'

const KEY = 'uvdso-course-done'

export const done = reactive(new Set())

function load(text) {
	let list = []
	try {
		list = JSON.parse(text ?? '[]')
	} catch {
		// Somebody else's: begin with nothing.
	}
	done.clear()
	for (const chapter of Array.isArray(list) ? list : [])
		if (/^\d\d$/.test(chapter))
			done.add(chapter)
}

export function toggle(chapter) {
	if (!done.delete(chapter))
		done.add(chapter)
	try {
		localStorage.setItem(KEY, JSON.stringify([...done].sort()))
	} catch {
		// Denied, or full.
	}
}

// Once, when the site has come to life in a browser.
export function begin() {
	try {
		load(localStorage.getItem(KEY))
	} catch {
		// Denied.
	}
	addEventListener('storage', (event) => event.key === KEY && load(event.newValue))
	// The entries of the sidebar are VitePress's own. The tick in each is empty until it is styled.
	const style = document.head.appendChild(document.createElement('style'))
	watchEffect(() => {
		style.textContent = [...done].map((chapter) => `.tick-${chapter}::before { content: "✓"; }`).join('\n')
	})
}
