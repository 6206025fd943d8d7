import { XMLParser } from 'fast-xml-parser'
import { describe, expect, it } from 'vitest'
import { descriptorOf, readUpgrade, versionOfPackage } from '../../../src/router-files/index.ts'

const PLACE = 'https://packages.example.net/routeros/'
const ROUTER = { architecture: 'ARM64', softwareVersion: '7.18.2 (stable)', installed: ['routeros', 'wifi-qcom'] }
const urls = (...files: string[]) => files.map((file) => PLACE + file)
const all = (version: string, arch = 'arm64') =>
  urls(`routeros-${version}-${arch}.npk`, `tr069-client-${version}-${arch}.npk`, `wifi-qcom-${version}-${arch}.npk`)

describe('an upgrade of a MikroTik router', () => {
  it('lists all packages of one newer version', () => {
    expect(readUpgrade(all('7.19.1'), [PLACE], ROUTER)).toEqual({ version: '7.19.1', urls: all('7.19.1') })
    expect(readUpgrade(all('7.19rc2'), [PLACE], ROUTER).version).toBe('7.19rc2')
  })

  it.each([
    ['a package that the router has', all('7.19.1').slice(0, 2), /^packages lacks wifi-qcom: the router would lose/],
    ['the package of its TR-069 client', [all('7.19.1')[0], all('7.19.1')[2]], /^packages lacks tr069-client:/],
    ['the system itself', all('7.19.1').slice(2), /^packages lacks routeros, tr069-client:/],
  ])('is refused without %s, which the refusal names', (_, list, reason) => {
    expect(() => readUpgrade(list as string[], [PLACE], ROUTER)).toThrow(reason)
    try {
      readUpgrade(list as string[], [PLACE], ROUTER)
    } catch (error) {
      expect((error as { context: { missing: string[] } }).context.missing.length).toBeGreaterThan(0)
    }
  })

  it.each([
    ['several versions', [...all('7.19.1').slice(0, 2), ...all('7.19.2').slice(2)], /several versions: 7.19.1, 7.19.2/],
    ['another architecture', all('7.19.1', 'arm'), /routeros-7.19.1-arm.npk, which is no package for arm64/],
    ['the running version', all('7.18.2'), /not newer than 7.18.2/],
    ['an older version', all('7.9'), /not newer than 7.18.2/],
    ['a beta of the running version', all('7.18.2beta3'), /not newer/],
    ['another major version', all('8.1'), /another major version, 8.1/],
    ['a package twice', [...all('7.19.1'), ...all('7.19.1').slice(0, 1)], /routeros twice/],
    ['no package', [], /1 to 32 URLs/],
    ['too many', Array.from({ length: 33 }, (_, n) => `${PLACE}p${n}-7.19.1-arm64.npk`), /1 to 32 URLs/],
  ])('is refused with %s', (_, list, reason) => {
    expect(() => readUpgrade(list, [PLACE], ROUTER)).toThrow(reason)
  })

  it.each([
    'https://evil.example/routeros-7.19.1-arm64.npk',
    'https://packages.example.net.evil.example/routeros/routeros-7.19.1-arm64.npk',
    'http://packages.example.net/routeros/routeros-7.19.1-arm64.npk',
    'https://packages.example.net/routeros/../other/routeros-7.19.1-arm64.npk',
    'https://packages.example.net/routeros/%2e%2e/other/routeros-7.19.1-arm64.npk',
    'https://packages.example.net/routeros\\..\\routeros-7.19.1-arm64.npk',
    'https://packages.example.net@evil.example/routeros/routeros-7.19.1-arm64.npk',
    'https://u:p@packages.example.net/routeros/routeros-7.19.1-arm64.npk',
    'https://packages.example.net/routeros/routeros-7.19.1-arm64.npk?to=x',
    'https://packages.example.net/routeros/routeros-7.19.1-arm64.npk#x',
    'https://packages.example.net/routeros/x%0a-7.19.1-arm64.npk',
    'file:///etc/passwd',
    'routeros-7.19.1-arm64.npk',
  ])('is refused from a place that is not allowed: %s', (url) => {
    expect(() => readUpgrade([url, ...all('7.19.1').slice(1)], [PLACE], ROUTER)).toThrow(/^packages has/)
  })

  it.each([
    'https:packages.example.net/routeros/routeros-7.19.1-arm64.npk',
    'https:\\\\packages.example.net/routeros/routeros-7.19.1-arm64.npk',
    'https://pack\nages.example.net/routeros/routeros-7.19.1-arm64.npk',
    'https://packages.example.net/x/../routeros/routeros-7.19.1-arm64.npk',
    ' https://packages.example.net/routeros/routeros-7.19.1-arm64.npk',
    'HTTPS://packages.example.net:443/routeros/routeros-7.19.1-arm64.npk',
  ])('is refused with a URL that a router may read in another way than the server: %j', (url) => {
    expect(() => readUpgrade([url, ...all('7.19.1').slice(1)], [PLACE], ROUTER)).toThrow(
      'packages has a URL in another form than https://packages.example.net/routeros/routeros-7.19.1-arm64.npk',
    )
  })

  it('is refused while no place is allowed, and where the facts of the router are not known', () => {
    const conflict = (allowed: string[], router: object) => {
      try {
        readUpgrade(all('7.19.1'), allowed, { ...ROUTER, ...router })
        return 'accepted'
      } catch (error) {
        return (error as { code: string; message: string }).code + (error as Error).message
      }
    }
    expect(conflict([], {})).toMatch(/^conflict.*--router-package-urls/)
    expect(conflict([PLACE], { installed: undefined })).toMatch(/^conflict.*not known.*router-policy/)
    expect(conflict([PLACE], { architecture: undefined })).toMatch(/^conflict.*architecture/)
    expect(conflict([PLACE], { architecture: 'MIPSLE' })).toMatch(/^conflict.*architecture/)
    expect(conflict([PLACE], { softwareVersion: undefined })).toMatch(/^conflict.*version/)
  })

  it('knows the names of version 6, whose main package has the parts in it, and of x86', () => {
    const v6 = {
      architecture: 'ARM',
      softwareVersion: '6.49.10',
      installed: ['routeros-arm', 'system', 'wireless', 'gps'],
    }
    const list = urls('routeros-arm-6.49.17.npk', 'tr069-client-6.49.17-arm.npk', 'gps-6.49.17-arm.npk')
    expect(readUpgrade(list, [PLACE], v6).version).toBe('6.49.17')
    expect(() => readUpgrade(list.slice(0, 2), [PLACE], v6)).toThrow(/lacks gps:/)
    const x86 = { architecture: 'x86_64', softwareVersion: '7.18.2', installed: [] }
    expect(readUpgrade(urls('routeros-7.19.1.npk', 'tr069-client-7.19.1.npk'), [PLACE], x86).version).toBe('7.19.1')
  })

  it('has the version that the names of its packages show', () => {
    const files = [
      'routeros-7.19.1-arm64.npk',
      'routeros-arm-7.19.1.npk',
      'routeros-7.19.1.npk',
      'routeros-7.19rc2-arm64.npk',
    ]
    expect(urls(...files).map(versionOfPackage)).toEqual(['7.19.1', '7.19.1', '7.19.1', '7.19rc2'])
    expect(versionOfPackage('x')).toBeUndefined()
  })

  it('has a descriptor with a link for each package', () => {
    const text = descriptorOf([...all('7.19.1'), `${PLACE}a&b-7.19.1-arm64.npk`])
    const parsed = new XMLParser({ ignoreAttributes: false }).parse(text)
    expect(parsed.upgrade).toMatchObject({ '@_version': '1', '@_type': 'links', config: '' })
    expect(parsed.upgrade.links.link.map(({ url }: { url: string }) => url)).toEqual([
      ...all('7.19.1'),
      `${PLACE}a&b-7.19.1-arm64.npk`,
    ])
  })
})
