import { noSuchCommand, noSuchDirectory, notPermitted, Trap } from '../basis/trap.ts'
import type { RouterState } from '../state/router-state.ts'
import type { Call, Command } from './command.ts'
import { MENU_COMMANDS } from './menu-commands.ts'
import { checkDeviceMode, SYSTEM_COMMANDS } from './system.ts'
import { TOOL_COMMANDS } from './tools.ts'
import { UPDATE_COMMANDS } from './updates.ts'

const COMMANDS: Readonly<Record<string, Command>> = { ...SYSTEM_COMMANDS, ...UPDATE_COMMANDS, ...TOOL_COMMANDS }

/** Runs one command; each ends with `done` or a refusal, now or later. */
export function dispatch(call: Call): void {
  try {
    run(call)
  } catch (error) {
    if (!(error instanceof Trap)) throw error
    call.reply.refuse(error)
  }
}

function run(call: Call): void {
  const { router, user, request } = call
  const own = Object.hasOwn(COMMANDS, request.path) ? COMMANDS[request.path] : undefined
  if (own !== undefined && own.exists?.(router) !== false) {
    if (!own.needs.every((policy) => user.policies.has(policy))) throw notPermitted()
    return own.run(call)
  }
  const end = request.path.lastIndexOf('/')
  const menu = router.menus.get(request.path.slice(0, end))
  if (menu === undefined) throw unknownPath(router, request.path)
  const name = request.path.slice(end + 1)
  const command = Object.hasOwn(MENU_COMMANDS, name) ? MENU_COMMANDS[name] : undefined
  if (command === undefined) {
    // A menu below this one is no command of it.
    if (isDirectory(router, request.path)) throw new Trap('no such command', 0)
    throw noSuchCommand()
  }
  const needs = command.isChange ? ['write', ...(menu.policy === undefined ? [] : [menu.policy])] : ['read']
  if (!needs.every((policy) => user.policies.has(policy))) throw notPermitted()
  if (command.isChange && menu.feature !== undefined) checkDeviceMode(router, menu.feature)
  command.run(menu, call)
}

/** Names the first word of a path that is no menu. */
function unknownPath(router: RouterState, path: string): Trap {
  const words = path.split('/').slice(1)
  for (let i = 1; i <= words.length; i++)
    if (!isDirectory(router, `/${words.slice(0, i).join('/')}`))
      return i === words.length && i > 1 ? noSuchCommand() : noSuchDirectory(words[i - 1] ?? '')
  return noSuchCommand()
}

function isDirectory(router: RouterState, path: string): boolean {
  for (const menu of router.menus.keys()) if (menu === path || menu.startsWith(`${path}/`)) return true
  return Object.keys(COMMANDS).some(
    (command) => command.startsWith(`${path}/`) && COMMANDS[command]?.exists?.(router) !== false,
  )
}
