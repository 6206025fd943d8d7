import { createHash } from 'node:crypto'
import { dateParts } from '../basis/text.ts'
import { missing, noSuchItem, Trap } from '../basis/trap.ts'
import { resolve } from '../menus/rows.ts'
import type { RouterState } from '../state/router-state.ts'
import type { Call, Command } from './command.ts'

/** Seconds for which a change of the device mode waits for a person at the device. */
const CONFIRM_S = 300

const hasMenu = (path: string) => (router: RouterState) => router.menus.has(path)

/** Throws the refusal of a feature that the device mode has switched off. */
export function checkDeviceMode({ store }: RouterState, feature: string): void {
  const [row] = store.table('/system/device-mode')
  if (row?.values[feature] === 'false' || row?.values[feature] === 'no')
    throw new Trap('failure: not allowed by device-mode', 4)
}

/** Commands below `/system`, and those on single rows that no menu has in common. */
export const SYSTEM_COMMANDS: Readonly<Record<string, Command>> = {
  '/system/reboot': {
    needs: ['reboot'],
    run({ router, reply }) {
      leave(router, reply, () => router.onRestart('reboot'))
    },
  },
  '/system/reset-configuration': {
    needs: ['reboot', 'write'],
    run({ router, request, reply }) {
      const keepsUsers = ['yes', 'true'].includes(request.args.get('keep-users') ?? 'no')
      leave(router, reply, () => {
        router.reset(keepsUsers)
        router.onRestart('reset')
      })
    },
  },
  '/system/device-mode/update': {
    needs: ['policy'],
    exists: hasMenu('/system/device-mode'),
    run({ router, reply }) {
      reply.onCancel(router.clock.after(CONFIRM_S * 1000, () => reply.refuse(new Trap('update canceled'))))
    },
  },
  '/system/backup/save': {
    needs: ['write', 'ftp'],
    run({ router, request, reply }) {
      const { date, time } = dateParts(router.now, true)
      const stamp = `${date.replaceAll('-', '')}-${time.slice(0, 5).replace(':', '')}`
      const name = request.args.get('name') ?? `${router.store.table('/system/identity')[0]?.values.name}-${stamp}`
      const file = name.endsWith('.backup') ? name : `${name}.backup`
      router.backups.set(file, { tables: router.store.save(), password: request.args.get('password') ?? '' })
      saveFile(router, { name: file, type: 'backup', size: '34816' })
      reply.done()
    },
  },
  '/system/backup/load': {
    needs: ['write', 'policy', 'sensitive'],
    run({ router, request, reply }) {
      const name = request.args.get('name')
      if (name === undefined) throw missing('name')
      const backup = router.backups.get(name)
      if (backup === undefined) throw new Trap('failure: backup file not found', 4)
      if (backup.password !== (request.args.get('password') ?? '')) throw new Trap('failure: wrong password', 4)
      leave(router, reply, () => {
        router.nextTables = backup.tables
        router.onRestart('reboot')
      })
    },
  },
  '/system/routerboard/upgrade': {
    needs: ['write', 'policy'],
    exists: hasMenu('/system/routerboard'),
    run({ router, reply }) {
      router.log('system,info,critical', 'Firmware upgraded successfully, please reboot for changes to take effect!')
      const [row] = router.store.table('/system/routerboard')
      if (row !== undefined) router.store.set('/system/routerboard', row, { '~next': row.values['upgrade-firmware'] })
      reply.done()
    },
  },
  '/certificate/sign': {
    needs: ['write', 'policy'],
    run(call) {
      for (const row of rowsOfCall('/certificate', call))
        call.router.store.set('/certificate', row, {
          'private-key': 'true',
          trusted: 'true',
          fingerprint: createHash('sha256').update(`${call.router.serial} ${row.values.name}`).digest('hex'),
        })
      call.reply.done()
    },
  },
  '/ip/dhcp-client/renew': onRow('/ip/dhcp-client'),
  '/ip/dhcp-client/release': onRow('/ip/dhcp-client'),
  '/ip/dns/cache/flush': { needs: ['write'], run: ({ reply }) => reply.done() },
  '/tr069-client/reset-tr069-config': {
    needs: ['write'],
    exists: hasMenu('/tr069-client'),
    run({ router, reply }) {
      const [row] = router.store.table('/tr069-client')
      if (row !== undefined)
        router.store.set('/tr069-client', row, { enabled: 'false', 'acs-url': '', username: '', password: '' })
      reply.done()
    },
  },
  '/interface/ethernet/poe/power-cycle': onRow('/interface/ethernet/poe'),
  '/interface/wifi/wps-push-button': onRow('/interface/wifi'),
  '/ip/dhcp-server/lease/make-static': {
    needs: ['write'],
    run(call) {
      const { router, reply } = call
      for (const row of rowsOfCall('/ip/dhcp-server/lease', call))
        router.store.set('/ip/dhcp-server/lease', row, { dynamic: undefined })
      reply.done()
    },
  },
}

/** A command on a row that changes nothing of what is stored. */
function onRow(path: string): Command {
  return {
    needs: ['write'],
    exists: hasMenu(path),
    run(call) {
      rowsOfCall(path, call)
      call.reply.done()
    },
  }
}

function rowsOfCall(path: string, { router, request: { args } }: Call) {
  const menu = router.menus.get(path)
  if (menu === undefined) throw noSuchItem()
  return resolve(menu, router, args.get('.id') ?? args.get('numbers') ?? args.get('number'))
}

/** Puts a file in place of one with the same name. */
export function saveFile(router: RouterState, values: Record<string, string>): void {
  const old = router.store.find('/file', 'name', values.name ?? '')
  const all = { ...values, '~at': String(router.now) }
  if (old === undefined) router.store.add('/file', all)
  else router.store.set('/file', old, all)
}

/** Answers as the router's faults say; the router goes down at once. */
function leave(router: RouterState, reply: Call['reply'], go: () => void): void {
  if ((router.faults.rebootAnswer ?? 'done') === 'done') reply.done()
  go()
}
