import { expect, it } from 'vitest'
import { type OperationRequest, resultWithMaskedTexts, secretTextMask } from '../../../src/domain/index.ts'

const PASSWORD = 'Device.PPP.Interface.1.Password'
const set = (value: string, path = PASSWORD): OperationRequest => ({ verb: 'set', values: [{ path, value }] })

it.each<[string, OperationRequest, string, string]>([
  ['a value in quotes', set('echoSECRET'), 'Invalid value: "echoSECRET"', 'Invalid value: "[secret]"'],
  ['a value in a sentence', set('echoSECRET'), 'bad value echoSECRET given', 'bad value [secret] given'],
  ['another case', set('0a0b0c0d0e'), 'no key: 0A0B0C0D0E', 'no key: [secret]'],
  ['XML escapes', set('a<b&c"defg'), 'bad a&lt;b&amp;c&quot;defg', 'bad [secret]'],
  ['JSON escapes', set('pass"word\\9'), 'bad "pass\\"word\\\\9"', 'bad "[secret]"'],
  ['a URL', set('pass word/9'), 'bad ?p=pass%20word%2F9&q=1', 'bad ?p=[secret]&q=1'],
  ['a value that was cut', set('S3cretPPP'.repeat(8)), 'bad "S3cretPPPS3cr..."', 'bad "[secret]..."'],
  ['a value at the end of a cut text', set('S3cretPPP'.repeat(8)), 'bad value S3cretPPPS3cr', 'bad value [secret]'],
  ['a common beginning', set('password123'), 'the password is wrong', 'the password is wrong'],
  ['a short secret as a word', set('1234'), 'row 12345: bad value 1234', 'row 12345: bad value [secret]'],
  ['a trivial secret', set('1'), 'row 1: bad value "1"', 'row 1: bad value "[secret]"'],
  ['an empty secret', set(''), 'bad value ""', 'bad value ""'],
  ['characters of patterns', set('a.c*(e)[g]'), 'bad a.c*(e)[g], abcde', 'bad [secret], abcde'],
  ['what is no secret', set('HomeNet', 'Device.WiFi.SSID.1.SSID'), 'bad value HomeNet', 'bad value HomeNet'],
  [
    'a row to add',
    { verb: 'add', object: 'Device.Users.User.', values: { Username: 'anna', Password: 'hush-hush' } },
    'anna: hush-hush is too weak',
    'anna: [secret] is too weak',
  ],
  [
    'an argument',
    { verb: 'operate', command: 'Device.X()', input: { Password: 'hush-hush' } },
    'bad hush-hush',
    'bad [secret]',
  ],
  [
    'a login in a URL',
    { verb: 'download', url: 'http://anna:hush@files/1' },
    'anna:hush@files: login with hush failed',
    '[secret]@files: login with [secret] failed',
  ],
  [
    'the secret of a link',
    set('/usp/AAAAAAAAAAAAAAAAAAAAAA', 'Device.LocalAgent.Controller.2.MTP.1.WebSocket.Path'),
    'bad path /usp/AAAAAAAAAAAAAAAAAAAAAA',
    'bad path /usp/[secret]',
  ],
])('a text about a request has no secret of it: %s', (_name, request, text, shown) => {
  expect(secretTextMask(request)(text)).toBe(shown)
})

it('all texts of a result are masked, and its values are left', () => {
  const error = { code: '9007', text: 'bad hush-hush', retryable: false }
  const shown = { ...error, text: 'bad [secret]' }
  const request = set('hush-hush')
  expect(
    resultWithMaskedTexts(
      {
        outcome: 'failed',
        results: [{ path: 'Device.A', value: 'x', error }],
        read: [],
        output: { Log: 'got hush-hush' },
        error,
      },
      request,
    ),
  ).toEqual({
    outcome: 'failed',
    results: [{ path: 'Device.A', value: 'x', error: shown }],
    read: [],
    output: { Log: 'got [secret]' },
    error: shown,
  })
})

it('a secret that the device has in another form is masked in that form', () => {
  const own = {
    request: set('6875736821', 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.WEPKey.1.WEPKey'),
    results: [],
  }
  const error = { code: '9007', text: 'bad 6875736821', retryable: false }
  const result = resultWithMaskedTexts({ outcome: 'failed', results: [], error, own }, set('hush!'))
  expect(result.error?.text).toBe('bad [secret]')
})

it('a result without such a text stays the same object', () => {
  const result = {
    outcome: 'failed' as const,
    results: [],
    error: { code: '9007', text: 'bad value', retryable: false },
  }
  expect(resultWithMaskedTexts(result, set('hush-hush'))).toBe(result)
})

it('the work for many secrets, and for long ones, is bounded', () => {
  const values = Array.from({ length: 20_000 }, (_, i) => ({ path: PASSWORD, value: `secret of row ${i}` }))
  const mask = secretTextMask({ verb: 'set', values })
  expect(mask('no such parameter')).toBe('no such parameter')
  // So many begin alike that none is looked for.
  expect(mask('bad value secret of row 7')).toBe('[secret]')
  const long = 'x1'.repeat(500_000)
  expect(secretTextMask(set(long))(`bad ${long}, and "${long.slice(0, 40)}..."`)).toBe(
    'bad [secret], and "[secret]..."',
  )
})
