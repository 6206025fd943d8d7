/*
 * The page over openapi.json. It fetches the description with an API key that stays in the tab, shows each route with
 * its schemas by name and a curl command, and sends requests of routes that only read.
 */
const byId = (id) => document.getElementById(id)
const text = (tag, value, cls) => {
  const element = document.createElement(tag)
  element.textContent = value
  if (cls) element.className = cls
  return element
}
/** An element with a text whose parts between backticks are code. */
const prose = (tag, value) => {
  const element = document.createElement(tag)
  for (const [i, part] of String(value).split('`').entries()) element.append(i % 2 ? text('code', part) : part)
  return element
}
const given = new URLSearchParams(location.hash.slice(1)).get('key')
if (given) {
  sessionStorage.setItem('key', given)
  history.replaceState(null, '', location.pathname)
}
let schemas = {}
const MAX_SHOWN = 100000
const nameOf = (schema) => (schema?.$ref ? schema.$ref.split('/').pop() : '')
const resolve = (schema) => (schema?.$ref ? schemas[nameOf(schema)] || {} : schema || {})
const variantsOf = (schema) => schema.oneOf || schema.anyOf || schema.allOf

function typeOf(given) {
  const schema = resolve(given)
  if (nameOf(given)) return nameOf(given)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.type === 'array') return `array of ${typeOf(schema.items || {})}`
  const limits = [
    'minLength',
    'maxLength',
    'minimum',
    'maximum',
    'minItems',
    'maxItems',
    'format',
    'pattern',
    'default',
  ]
    .filter((name) => schema[name] !== undefined)
    .map((name) => `${name} ${JSON.stringify(schema[name])}`)
  const type = schema.type || (variantsOf(schema) ? 'one of several' : 'any')
  return [].concat(type).join(' | ') + (limits.length ? ` (${limits.join(', ')})` : '')
}

/** The fields of a schema as nested lists; a field that has fields of its own opens on demand. */
function outline(given, depth) {
  const schema = resolve(given)
  const list = document.createElement('ul')
  if (depth > 5) return list
  if (variantsOf(schema)) {
    for (const [i, variant] of variantsOf(schema).entries())
      list.append(row(`variant ${i + 1}`, variant, depth, labelOf(variant)))
    return list
  }
  if (schema.type === 'array') return outline(schema.items, depth)
  for (const [name, property] of Object.entries(schema.properties || {}))
    list.append(row(name + ((schema.required || []).includes(name) ? ' *' : ''), property, depth, ''))
  return list
}

/** The label of a variant: its constants, such as `verb "get"`. */
function labelOf(given) {
  const properties = Object.entries(resolve(given).properties || {})
  const constantOf = (p) => (p.enum && p.enum.length === 1 ? p.enum[0] : p.const)
  return properties
    .filter(([, p]) => constantOf(p) !== undefined)
    .map(([name, p]) => `${name} ${JSON.stringify(constantOf(p))}`)
    .join(', ')
}

function hasFields(given) {
  const schema = resolve(given)
  if (schema.type === 'array') return hasFields(schema.items || {})
  return Boolean(variantsOf(schema) || Object.keys(schema.properties || {}).length)
}

function row(name, schema, depth, label) {
  const item = document.createElement('li')
  const head = document.createElement('span')
  head.append(text('code', name), ' ', text('span', label || typeOf(schema), 'type'))
  const about = schema.description || resolve(schema).description
  if (about) head.append(' ', prose('span', about))
  if (!hasFields(schema)) {
    item.append(head)
    return item
  }
  const details = document.createElement('details')
  const summary = document.createElement('summary')
  summary.append(head)
  details.append(summary)
  // Filled when it opens: schemas may refer to themselves.
  details.addEventListener('toggle', () => {
    if (!details.dataset.filled) details.append(outline(schema, depth + 1))
    details.dataset.filled = 'yes'
  })
  item.append(details)
  return item
}

/** The smallest value that a schema takes, as far as the schema shows it. */
function example(given, depth) {
  const schema = resolve(given)
  if (schema.example !== undefined) return schema.example
  if (schema.const !== undefined) return schema.const
  if (schema.default !== undefined) return schema.default
  if (schema.enum) return schema.enum[0]
  if (variantsOf(schema)) return example(variantsOf(schema)[0], depth)
  if (schema.type === 'array') return depth > 5 ? [] : [example(schema.items, depth + 1)]
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum || 1
  if (schema.type === 'boolean') return true
  if (schema.type === 'string') return 'text'
  const value = {}
  for (const name of schema.required || []) value[name] = example(schema.properties[name], depth + 1)
  return value
}

function curl(method, path, body) {
  const send = body ? ` -H 'Content-Type: application/json' -d '${JSON.stringify(example(body.schema, 0))}'` : ''
  const verb = method === 'get' ? '' : ` -X ${method.toUpperCase()}`
  return `curl${verb} -H "Authorization: Bearer $KEY" '${location.origin}${path}'${send}`
}

/** Fields for the parameters of a route that reads, and a button that sends it. */
function tryIt(path, op) {
  const form = document.createElement('div')
  const fields = (op.parameters || [])
    .filter((p) => p.in !== 'header')
    .map((p) => {
      const label = text('label', p.name + (p.required ? ' * ' : ' '))
      const input = document.createElement('input')
      label.append(input)
      form.append(label)
      return { p, input }
    })
  const button = text('button', 'Send')
  const shown = text('pre', '')
  shown.hidden = true
  button.addEventListener('click', async () => {
    const query = new URLSearchParams()
    let url = path
    for (const { p, input } of fields) {
      if (p.in === 'path') url = url.replace(`{${p.name}}`, encodeURIComponent(input.value))
      else if (input.value) query.set(p.name, input.value)
    }
    shown.hidden = false
    try {
      const address = url + (query.size ? `?${query}` : '')
      const answer = await fetch(address, { headers: { authorization: `Bearer ${sessionStorage.getItem('key')}` } })
      const body = await answer.text()
      let pretty = body
      try {
        pretty = JSON.stringify(JSON.parse(body), null, 1)
      } catch {
        // An answer that is no JSON is shown as it is.
      }
      shown.textContent = `${answer.status} ${address}\n${pretty.slice(0, MAX_SHOWN)}`
    } catch (error) {
      shown.textContent = error.message
    }
  })
  form.append(button, shown)
  return form
}

function parameters(list) {
  const table = document.createElement('table')
  for (const p of list) {
    const line = document.createElement('tr')
    const about = p.description || p.schema?.description || ''
    line.append(
      text('td', p.in),
      text('td', p.name + (p.required ? ' *' : '')),
      text('td', typeOf(p.schema), 'type'),
      prose('td', about),
    )
    table.append(line)
  }
  return table
}

function route(method, path, op) {
  const details = document.createElement('details')
  details.dataset.text = `${method} ${path} ${op.summary}`.toLowerCase()
  const summary = document.createElement('summary')
  summary.append(text('span', method.toUpperCase(), `m ${method}`), text('code', path), '  ', prose('span', op.summary))
  details.append(summary)
  if (op.description) details.append(prose('p', op.description))
  if (op.parameters) details.append(parameters(op.parameters))
  const body = op.requestBody?.content['application/json']
  if (body) details.append(text('h4', `Body ${nameOf(body.schema)}`), outline(body.schema, 0))
  for (const [status, answer] of Object.entries(op.responses)) {
    const [type, content] = Object.entries(answer.content || {})[0] || []
    const item = prose('p', `${status}: ${answer.description}${content ? ` (${type}) ${nameOf(content.schema)}` : ''}`)
    details.append(item)
    if (content && status !== 'default' && hasFields(content.schema)) details.append(outline(content.schema, 0))
  }
  details.append(text('pre', curl(method, path, body)))
  const streams = Object.values(op.responses).some((answer) => answer.content?.['text/event-stream'])
  if (method === 'get' && !streams) details.append(tryIt(path, op))
  return details
}

function show(doc) {
  schemas = doc.components?.schemas || {}
  byId('about').textContent =
    `${doc.info.description} Version ${doc.info.version}. Send your key as Authorization: Bearer isthmus_...`
  const sections = new Map()
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(item)) {
      const tag = (op.tags || ['Other'])[0]
      if (!sections.has(tag)) {
        const section = document.createElement('section')
        section.append(text('h2', tag))
        sections.set(tag, section)
      }
      sections.get(tag).append(route(method, path, op))
    }
  }
  byId('routes').replaceChildren(...sections.values())
  byId('ask').hidden = true
  byId('tools').hidden = false
  byId('download').addEventListener('click', () => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([JSON.stringify(doc, null, 1)], { type: 'application/json' }))
    link.download = 'openapi.json'
    link.click()
  })
}

async function load() {
  const key = sessionStorage.getItem('key')
  if (!key) return ask('Give an API key to see the description.')
  byId('routes').textContent = 'Loading'
  const answer = await fetch('../openapi.json', { headers: { authorization: `Bearer ${key}` } })
  if (answer.status === 401) return ask('This key is not known or was revoked.')
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
  show(await answer.json())
}

function ask(why) {
  sessionStorage.removeItem('key')
  byId('about').textContent = why
  byId('routes').textContent = ''
  byId('ask').hidden = false
  byId('key').focus()
}

function start() {
  load().catch((error) => {
    byId('routes').textContent = `The description could not be loaded: ${error.message}`
  })
}
function submit() {
  sessionStorage.setItem('key', byId('key').value.trim())
  start()
}
byId('open').addEventListener('click', submit)
byId('key').addEventListener('keydown', (event) => {
  if (event.key === 'Enter') submit()
})
byId('filter').addEventListener('input', (event) => {
  const wanted = event.target.value.toLowerCase()
  for (const details of document.querySelectorAll('section > details'))
    details.hidden = !details.dataset.text.includes(wanted)
})
start()
