import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/base/index.ts'
import { createSecretBox, TimedCodes } from '../../../src/security/index.ts'

const macOf = (key: string) => {
  const box = createSecretBox(key, systemRandom)
  return (purpose: string, text: string) => box.mac(purpose, text)
}
const codes = new TimedCodes('purpose', macOf('key'))
const CODE = codes.of('text', 5000)

describe('a timed code', () => {
  it('is good for its text until its time, at each holder of the key', () => {
    expect(codes.isGood(CODE, 'text', 4999)).toBe(true)
    expect(new TimedCodes('purpose', macOf('key')).isGood(CODE, 'text', 0)).toBe(true)
    expect(codes.isGood(CODE, 'text', 5000)).toBe(false)
  })

  it('is good for no other text, purpose or key', () => {
    expect(codes.isGood(CODE, 'other', 0)).toBe(false)
    expect(new TimedCodes('other', macOf('key')).isGood(CODE, 'text', 0)).toBe(false)
    expect(new TimedCodes('purpose', macOf('other')).isGood(CODE, 'text', 0)).toBe(false)
  })

  it('is good with its own time and digits alone', () => {
    const [time = '', digits = ''] = CODE.split('.')
    const later = (Number.parseInt(time, 36) + 1).toString(36)
    const changed = [...digits].map(
      (digit, i) => digits.slice(0, i) + (digit === '0' ? '1' : '0') + digits.slice(i + 1),
    )
    for (const one of [`${later}.${digits}`, ...changed.map((code) => `${time}.${code}`)])
      expect(codes.isGood(one, 'text', 0), one).toBe(false)
  })

  it.each(['', CODE.slice(0, -1), `${CODE}0`, CODE.toUpperCase(), CODE.replace('.', '')])('is not %j', (other) => {
    expect(codes.isGood(other, 'text', 0)).toBe(false)
  })
})
