// VitePress's own theme, without its web font, and with what is in Layout.vue.
import DefaultTheme from 'vitepress/theme-without-fonts'
import Layout from './Layout.vue'
import './course.css'

export default { extends: DefaultTheme, Layout }
