#!/bin/sh
# Bundles web/app.tsx and what it needs into web/app.js. Needs `npm ci` before.
cd "$(dirname "$0")" || exit
exec node_modules/.bin/esbuild web/app.tsx --bundle --outfile=web/app.js --format=iife --platform=browser --log-level=warning \
  --define:process.env.NODE_ENV='"production"' --define:global=window \
  --loader:.svg=dataurl --loader:.woff2=dataurl --loader:.png=dataurl --loader:.ttf=dataurl \
  --alias:monaco-editor=./web/empty.js --alias:react-monaco-editor=./web/empty.js
