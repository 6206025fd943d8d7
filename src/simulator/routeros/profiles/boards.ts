import type { Board } from './profile.ts'

export const GATEWAY = ['ether1', 'ether2', 'ether3', 'ether4', 'ether5']

export const RADIOS_AX = [
  { frequency: 5180, band: '5ghz-ax', width: '20/40/80mhz' },
  { frequency: 2437, band: '2ghz-ax', width: '20/40mhz' },
]

export const HAP_AX3: Board = {
  name: 'hAP ax^3',
  model: 'C53UiG+5HPaxD2HPaxD',
  revision: '',
  architecture: 'arm64',
  npk: 'arm64',
  cpu: 'ARM64',
  cpuCount: 4,
  cpuMhz: 864,
  memory: 1_073_741_824,
  disk: 134_217_728,
  firmwareType: 'ipq6000',
  oui: '48A98A',
  ports: GATEWAY,
  radios: RADIOS_AX,
}

export const HAP_AC2: Board = {
  name: 'hAP ac^2',
  model: 'RBD52G-5HacD2HnD',
  revision: 'r2',
  architecture: 'arm',
  npk: 'arm',
  cpu: 'ARMv7',
  cpuCount: 4,
  cpuMhz: 716,
  memory: 134_217_728,
  disk: 16_777_216,
  firmwareType: 'ipq4000L',
  oui: 'E48D8C',
  ports: GATEWAY,
  radios: [
    { frequency: 2437, band: '2ghz-b/g/n', width: '20/40mhz-Ce' },
    { frequency: 5220, band: '5ghz-a/n/ac', width: '20/40/80mhz-Ceee' },
  ],
}
