import type { Config } from '../../config/index.ts'
import { listenerLimits, openFileLimit } from '../parts/listener-limits.ts'
import { type Finding, finding } from './finding.ts'

/**
 * Checks that a process may open a file for each connection that the configuration allows. `limit`: by default that of
 * this process, which a server has when it is started from the same shell.
 */
export function examineOpenFiles(config: Config, limit: number | undefined = openFileLimit()): Finding[] {
  const { ok, warning } = finding('files')
  if (limit === undefined) return [ok('this system does not say how many files a process may open')]
  const { tooFewFiles } = listenerLimits(config, limit)
  if (tooFewFiles === undefined) return [ok(`a process may open ${limit} files`)]
  const { needed } = tooFewFiles
  return [
    warning(
      `a process may open ${limit} files, and --max-sessions and --max-links need ${needed}; set LimitNOFILE or ulimit -n to that, or lower the options`,
    ),
  ]
}
