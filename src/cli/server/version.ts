import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../base/index.ts'

/** Returns the version in package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(import.meta.url), 'package.json'), 'utf8')) as { version: string })
    .version
}
