import { readFileSync } from 'node:fs'
import { AppError, errorText } from '../../base/index.ts'

/** Returns the PEM text of the file that an option names. AppError `invalid` when it cannot be read or holds none. */
export function readPem(flag: string, path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AppError('invalid', `${flag}: ${path} cannot be read: ${errorText(cause)}`, { cause })
  }
  if (!text.includes('-----BEGIN ')) throw new AppError('invalid', `${flag}: ${path} holds no PEM`)
  return text
}
