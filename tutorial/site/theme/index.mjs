// VitePress's own theme, without its web font, with what is in Layout.vue and the interactive pages.
import DefaultTheme from 'vitepress/theme-without-fonts'
import Bytes from './Bytes.vue'
import Layout from './Layout.vue'
import Stepper from './Stepper.vue'
import './course.css'
import './play.css'

export default {
	extends: DefaultTheme,
	Layout,
	enhanceApp({ app }) {
		app.component('Stepper', Stepper)
		app.component('Bytes', Bytes)
	},
}
