import type { Model } from './model.ts'

/** Last names of parameters and arguments whose value is a secret, also of vendors; not those that only speak of one (PasswordRequired). */
const SECRET_NAME =
  /(pass(word|phrase|wd|code)|pwd|presharedkey|secret|wepkey|privatekey|encryptionkey|authenticationkey|authenticationcode|authkey|psk|keyvalue|token|passwordhash)\d*$/i
// PIN and PUK stand alone or behind an underscore; inside a word they are something else (Mapping).
const PIN = /(^|[a-z_\d])(PIN|PUK)\d*$/

/** Whether a value must not be shown, logged or kept: the model says hidden or secured, or the last name of the path says so. */
export function isSecret(path: string, model?: Model): boolean {
  const name = path.slice(path.lastIndexOf('.') + 1)
  if (SECRET_NAME.test(name) || PIN.test(name)) return true
  const facets = model?.parameter(path)?.facets
  return facets !== undefined && facets.c !== 1 && (facets.h === 1 || facets.x === 1)
}
