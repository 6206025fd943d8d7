/** Floor 4: MikroTik routers as TR-181 devices. */
export { ValueRefused } from './menus/checked-command.ts'
export type { Level } from './menus/form/menu.ts'
export { GuardedRouter } from './menus/guarded-router.ts'
export { RouterWords } from './menus/router-words.ts'
