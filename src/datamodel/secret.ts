import { isCommandLike, readsEmpty } from './facets.ts'
import type { Model } from './model.ts'
import { recalled } from './recall.ts'

/** Words before Key that make it a secret; other keys are indexes, public, or name something (ParameterKey). */
const KEY_OF =
  'pre-?shared|shared|wep|wpa[23]?|sae|wi-?fi|wlan|ssid|private|priv?|encryption|encrypt|decryption|enc|authentication|auth|client|session|network|' +
  'master|crypto|cipher|aes|des|3des|rsa|dsa|ecdsa|hmac|security|secure|ssh|tls|ssl|vpn|api|access|signing|sign|radius|snmp'
/** Letters of a name in lower case, without what separates its words. */
const SECRET_WORD = new RegExp(
  `(pass(word|phrase|wd|code|key)|pwd|pskc?|secret|token|(${KEY_OF})key|keyvalue|(auth|authentication)code|privatecredential|` +
    '(snmp|read|write|ro|rw|get|set|readonly|readwrite|trap)community(name|string)?)' +
    // Encoding and owner.
    '(hex|ascii|base64|encrypted|hash|hashed|plain|text|string|value|data|admin|user|guest|old|new|current|confirm|default)?$',
)
/** A number, or the band of a radio, at the end of a name. */
const ORDINAL = /[_-]?\d+([._]\d+)?(g|ghz)?$/i
/** PIN, PUK and Pass count as whole words only: inside a word they mean something else (Mapping, Bypass). */
const WORD = /(^|[a-z_\d])(PIN|PUK|Pin|Puk|PINCode|PUKCode|PinCode|PukCode|Pass)$/
const NO_SECRET = /(By|Band|High|Low|All|Test)_?Pass$/i
/** Names that say nothing themselves: their object does. */
const ANONYMOUS = /^(Value|Key|Text|Data|String|Hex)$/

/**
 * Returns true when a value must not be shown, logged or stored: the model calls it hidden or secured, or the last name
 * of its path is that of a secret.
 */
export function isSecret(path: string, model?: Model): boolean {
  const name = path.slice(path.lastIndexOf('.') + 1)
  if (speaksOfSecret(name)) return true
  if (ANONYMOUS.test(name) && speaksOfSecret(nameOfObject(path))) return true
  const parameter = model?.parameter(path)
  return readsEmpty(parameter) && !isCommandLike(parameter)
}

/** The last name of the object that a parameter is in, without instances. */
function nameOfObject(path: string): string {
  const names = path.split('.').slice(0, -1)
  return names.findLast((object) => !/^(\d+|\*|\{i\}|\[.*)$/.test(object)) ?? ''
}

/** Names of all models and vendors together are some thousands. */
const MAX_NAMES = 10_000

const speaksOfSecret = recalled(MAX_NAMES, (name) => {
  const bare = name.replace(ORDINAL, '')
  return SECRET_WORD.test(bare.replace(/[_-]/g, '').toLowerCase()) || (WORD.test(bare) && !NO_SECRET.test(bare))
})
