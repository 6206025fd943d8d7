import { access, rename } from 'node:fs/promises'
import { syncFolderOf } from './durable-file.ts'

/**
 * Moves a file to `<path>.1`, that to `<path>.2`, and so on up to `older`, which is replaced. Files move up to the first
 * free name alone, the oldest first: a process that is killed in between goes on from there, and loses no other file.
 */
export async function rotate(path: string, older: number): Promise<void> {
  const nameOf = (age: number) => (age === 0 ? path : `${path}.${age}`)
  let free = 1
  while (free < older && (await isThere(nameOf(free)))) free++
  for (let age = free; age > 0; age--) await rename(nameOf(age - 1), nameOf(age))
  await syncFolderOf(path)
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
