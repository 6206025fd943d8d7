/**
 * Floor 1: the files that the TR-069 client of RouterOS takes from a server: scripts of reviewed templates, and the
 * descriptor of packages. Pure.
 */
export { descriptorOf, type RouterFacts, readUpgrade, versionOfPackage } from './packages.ts'
export { renderScript } from './render-script.ts'
export type { ScriptTemplate } from './template.ts'
export { SCRIPT_TEMPLATES, templateOf } from './templates/index.ts'
