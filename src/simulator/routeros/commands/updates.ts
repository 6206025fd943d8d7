import { missing, Trap } from '../basis/trap.ts'
import type { Call, Command } from './command.ts'
import { checkDeviceMode, saveFile } from './system.ts'

const UPDATE = '/system/package/update'
/** Milliseconds between two rows of progress. */
const STEP_MS = 500

/** Rows one after the other, then the end. */
function progress({ router, reply }: Call, rows: readonly Record<string, string>[], end: () => void): void {
  let at = 0
  let stop = () => {}
  const next = () => {
    const row = rows[at]
    if (row === undefined) return end()
    reply.row({ ...row, '.section': String(at++) })
    stop = router.clock.after(STEP_MS, next)
  }
  reply.onCancel(() => stop())
  next()
}

/** `latest-version` of the channel, as the router knows it after a check. */
function latest({ router }: Call): string {
  return router.profile.offers ?? router.version
}

function note(call: Call, values: Record<string, string>): void {
  const { store } = call.router
  const [row] = store.table(UPDATE)
  if (row !== undefined) store.set(UPDATE, row, values)
}

function base(call: Call): Record<string, string> {
  return {
    channel: call.router.store.table(UPDATE)[0]?.values.channel ?? 'stable',
    'installed-version': call.router.version,
  }
}

/** Commands of versions and packages. */
export const UPDATE_COMMANDS: Readonly<Record<string, Command>> = {
  [`${UPDATE}/check-for-updates`]: {
    needs: ['write'],
    run(call) {
      const version = latest(call)
      const status = version === call.router.version ? 'System is already up to date' : 'New version is available'
      const rows = [
        { ...base(call), status: 'finding out latest version...' },
        { ...base(call), 'latest-version': version, status },
      ]
      progress(call, call.request.args.has('once') ? rows.slice(-1) : rows, () => {
        note(call, { 'latest-version': version, status })
        call.reply.done()
      })
    },
  },
  [`${UPDATE}/download`]: { needs: ['write'], run: (call) => download(call, () => call.reply.done()) },
  [`${UPDATE}/install`]: {
    needs: ['write', 'reboot'],
    run: (call) =>
      download(call, () => {
        if ((call.router.faults.rebootAnswer ?? 'done') === 'done') call.reply.done()
        call.router.onRestart('reboot')
      }),
  },
  '/system/package/apply-changes': {
    needs: ['reboot'],
    run({ router, reply }) {
      reply.done()
      router.onRestart('reboot')
    },
  },
  '/tool/fetch': { needs: ['test', 'ftp'], run: fetchFile },
}

/** The version that the channel offers is downloaded; the next boot installs it. */
function download(call: Call, end: () => void): void {
  const version = latest(call)
  if (version === call.router.version) {
    call.reply.row({ ...base(call), status: 'System is already up to date' })
    return call.reply.done()
  }
  const shown = { ...base(call), 'latest-version': version }
  const rows = [
    { ...shown, status: 'calculating download size...' },
    { ...shown, status: 'downloading, 34% (4.1MiB)' },
    { ...shown, status: 'Downloaded, please reboot router to upgrade it' },
  ]
  progress(call, rows, () => {
    call.router.nextVersion = version
    note(call, { 'latest-version': version, status: 'Downloaded, please reboot router to upgrade it' })
    end()
  })
}

/** A file is fetched: its name and size only, from the address that is given. A package is installed by the next boot. */
function fetchFile(call: Call): void {
  const { router, request, reply } = call
  checkDeviceMode(router, 'fetch')
  const url = request.args.get('url')
  if (url === undefined) throw missing('url')
  if (!URL.canParse(url)) throw new Trap('failure: invalid URL', 4)
  const name = request.args.get('dst-path') ?? new URL(url).pathname.split('/').pop() ?? ''
  if (name === '') throw new Trap('failure: dst-path is required', 4)
  const failed = new URL(url).hostname.endsWith('.invalid')
  const rows = failed
    ? [{ status: 'connecting' }, { status: 'failed' }]
    : [
        { status: 'connecting' },
        { status: 'downloading', downloaded: '6144', total: '12288', duration: '1s' },
        { status: 'finished', downloaded: '12288', total: '12288', duration: '2s' },
      ]
  progress(call, rows, () => {
    if (failed) return reply.refuse(new Trap('failure: resolving error', 4))
    const npk = /^routeros-(\d+\.\d+(?:\.\d+)?)(?:-([\w-]+))?\.npk$/.exec(name)
    const backup = name.endsWith('.backup') ? router.served.get(url) : undefined
    if (backup !== undefined) router.backups.set(name, backup)
    const type = npk !== null ? 'package' : backup !== undefined ? 'backup' : '.txt file'
    saveFile(router, { name, type, size: '12288' })
    if (npk?.[1] !== undefined && npk[2] === router.profile.board.npk) router.nextVersion = npk[1]
    reply.done()
  })
}
