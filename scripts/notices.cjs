// The licences of the libraries inside the bundles, which those licences ask for.
const { readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');
const { bundledFiles } = require('./bundle-reading-half.cjs');

const root = join(__dirname, '..');
const LINE = `\n${'-'.repeat(80)}\n\n`;

/** A notice for each library of which a file is in a bundle. */
exports.notices = function notices() {
  const filesOf = new Map();
  for (const file of bundledFiles()) {
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
    if (folder !== undefined) filesOf.set(folder, [...(filesOf.get(folder) ?? []), file]);
  }
  return [...filesOf]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([folder, files]) => notice(folder, files))
    .join(LINE);
};

function notice(folder, files) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const texts = readdirSync(join(root, folder))
    .filter((entry) => /^(licen[cs]e|notice|copying)/i.test(entry))
    .map((entry) => readFileSync(join(root, folder, entry), 'utf8').trim());
  // Where a library has no file for it, the text of Apache's licence is the one of this package.
  if (texts.length === 0 && /Apache-2\.0/.test(license)) texts.push(readFileSync(join(root, 'LICENSE'), 'utf8').trim());
  // Parts that come from elsewhere say so at their own head.
  texts.push(...new Set(files.flatMap(ownLicence)));
  return `${name} ${version} (${license.replace(/^\((.*)\)$/, '$1')})\n\n${texts.join('\n\n')}\n`;
}

/** The comment at the head of a file, if it has the terms of a licence in full. */
function ownLicence(file) {
  const head =
    /^(?:["']use strict["'];\s*)?((?:\/\/.*\r?\n|\s*\/\*[^]*?\*\/\s*)+)/.exec(
      readFileSync(join(root, file), 'utf8'),
    )?.[1] ?? '';
  return /Redistribution and use|Permission is hereby granted/.test(head)
    ? [head.replace(/^ *(\/\/|\/\*+|\*\/| \*) ?/gm, '').trim()]
    : [];
}
