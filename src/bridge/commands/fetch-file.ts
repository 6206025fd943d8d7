import type { RouterRow } from '../../routeros/index.ts'
import { AgentError, type CommandCall } from '../../usp/index.ts'
import type { CommandTools } from './command.ts'

/** Milliseconds for a download of some tens of megabytes over a slow line. */
export const DOWNLOAD_MS = 1_800_000

/**
 * Checks that a router may fetch, and resolves with the work that has it load a URL of the operator into a file. The
 * router checks the certificate of the server. The work resolves with the row of the file; AgentError.
 */
export async function fetchFile(
  url: URL,
  file: string,
  { signal }: Pick<CommandCall, 'signal'>,
  { rows, router }: CommandTools,
): Promise<() => Promise<RouterRow>> {
  const [mode] = await rows.allIfThere('/system/device-mode', ['mode', 'fetch'])
  if (mode?.fetch === 'no' || mode?.fetch === 'false')
    throw new AgentError(7022, 'the device-mode of this router does not allow fetch')
  const command = rows.words.run('/tool', 'fetch', { url: url.href, 'dst-path': file, 'check-certificate': 'yes' })
  return async () => {
    const result = merged((await router.command(command, { signal, deadlineMs: DOWNLOAD_MS })).rows)
    if (result.status !== 'finished')
      throw new AgentError(7022, `the router could not load the file: ${result.status ?? 'it gave no reason'}`)
    const stored = (await rows.all('/file', ['name', 'size'])).find(({ name }) => name === file)
    if (stored === undefined) throw new AgentError(7022, 'the file is not on the router')
    return stored
  }
}

/** The rows of a command that reports its progress, later ones over earlier ones. */
export function merged(rows: readonly RouterRow[]): RouterRow {
  return Object.assign({}, ...rows)
}
