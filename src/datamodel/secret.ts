import type { Model } from './model.ts'

const SECRET_NAME = /pass(word|phrase)|presharedkey|secret|wepkey|privatekey|(^|\.)psk$/i

/** Whether the value of a parameter is a secret: the model says hidden or secured, or its name says so. */
export function isSecret(path: string, model?: Model): boolean {
  const facets = model?.parameter(path)?.facets
  return facets?.h === 1 || facets?.x === 1 || SECRET_NAME.test(path.slice(path.lastIndexOf('.') + 1))
}
