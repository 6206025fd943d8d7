import {
  asksForNothing,
  checkType,
  checkValue,
  commandUnder,
  isBaseType,
  type Model,
  type ModelName,
  type ModelParameter,
  writableArguments,
} from '../datamodel/index.ts'
import { type Parameter, type Protocol, type RequestFor, restartOf } from '../domain/index.ts'
import { invalid, namedValue } from './invalid.ts'

/** The facts that the arguments of a command are checked against. */
interface ArgumentsContext {
  protocol: Protocol
  /** The model of the paths of the device, over its protocol. */
  own: Model
  model(name: ModelName): Model
  /** Parameters as the device reported them, by path: it may have arguments that no model knows. */
  reported?: ReadonlyMap<string, Pick<Parameter, 'type'>> | undefined
}

/**
 * Checks the arguments of a command by name and value, as far as a model knows the command, before anything is sent.
 * Over CWMP an argument is a parameter of the diagnostic: one that has no place there is refused, unless it asks for
 * nothing special. An Agent may be newer than the model: what it may not know passes with a warning. Returns the
 * warnings. Throws AppError `invalid`, which names the argument and what is allowed.
 */
export function checkArguments({ command, input }: RequestFor<'operate'>, context: ArgumentsContext): string[] {
  const { protocol, own, model, reported } = context
  const standard = commandUnder('Device.', command)
  const object = command.replace(/\(\)$/, '.')
  const inputs = model('tr181-usp').command(standard)?.input
  const places = protocol === 'cwmp' ? writableArguments(object, own) : undefined
  if (inputs === undefined && places === undefined) return []
  const warnings: string[] = []
  const isRestart = restartOf(command) !== undefined
  for (const [name, value] of Object.entries(input)) {
    if (name.startsWith('X_')) continue
    const known = inputs?.find((one) => matches(one.name, name))
    const twin = model('tr181-cwmp').parameter(standard.replace(/\(\)$/, '.') + name)
    const parameter = places?.get(name) ?? twin
    const type = reported?.get(object + name)?.type
    if (protocol === 'cwmp' && type === undefined && places?.has(name) !== true) {
      if (isRestart && known !== undefined) warnings.push(`${name} is not sent: CWMP has no argument for it`)
      else if (known === undefined) throw invalid(command, `has no argument ${name}; ${allowed(places)}`)
      else if (!asksForNothing(name, value, parameter))
        throw invalid(
          command,
          `cannot take the argument ${name}: its device has no parameter for it; ${allowed(places)}`,
        )
    } else if (known === undefined && parameter === undefined && type === undefined) {
      warnings.push(`${name} is no argument of ${command} in the model`)
    }
    const wrong = problemOf(value, parameter, type ?? known?.type)
    if (wrong !== undefined) throw invalid(command, `argument ${name}: ${namedValue(name, value)} ${wrong}`)
  }
  return warnings
}

function allowed(places: ReadonlyMap<string, ModelParameter> | undefined): string {
  return places === undefined || places.size === 0 ? 'it takes none' : `it takes ${[...places.keys()].join(', ')}`
}

/** Returns the reason for which a text is no value of an argument: by its parameter, else by its type alone. */
function problemOf(value: string, parameter: ModelParameter | undefined, type = ''): string | undefined {
  if (parameter !== undefined) return checkValue(parameter, value)?.text
  return isBaseType(type) ? checkType(type, value) : undefined
}

/** Returns true for a name of the model, which has `{i}` for a number: `Server.{i}.Host`. */
function matches(model: string, name: string): boolean {
  return model === name || (model.includes('{i}') && model === name.replace(/(^|\.)\d+(?=\.)/g, '$1{i}'))
}
