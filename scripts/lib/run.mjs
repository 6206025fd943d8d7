import { spawnSync } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** Runs a program in the checkout with its output shown; ends this process with its code when it fails. */
export function mustRun(program, args, options = {}) {
  const { status, error, signal } = spawnSync(program, args, {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32' && program === 'npm',
    ...options,
  })
  if (error !== undefined) {
    console.error(`${program} cannot be started: ${error.message}`)
    process.exit(1)
  }
  if (status !== 0) {
    console.error(`${program} ${args.join(' ')} failed (${signal ?? `exit ${status}`})`)
    process.exit(status ?? 1)
  }
}
