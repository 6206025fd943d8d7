import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** A file that its owner alone reads. */
export const PRIVATE_FILE = 0o600
const PRIVATE_FOLDER = 0o700
const OTHERS = 0o077

/**
 * Makes a folder that its owner alone may enter, and takes from all others what earlier versions let them read in it.
 */
export function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER })
  chmodSync(folder, PRIVATE_FOLDER)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) makePrivate(path)
    else if (entry.isFile()) chmodSync(path, PRIVATE_FILE)
  }
}

/** Runs what starts a process whose files are its owner's alone. */
export function withPrivateFiles<T>(start: () => T): T {
  const before = process.umask(OTHERS)
  try {
    return start()
  } finally {
    process.umask(before)
  }
}
