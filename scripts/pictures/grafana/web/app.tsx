// Draws the dashboard in dash.json with Grafana's own panel components, from the Prometheus that ?prom= names.
import React from 'react';
import {createRoot} from 'react-dom/client';
import {firstValueFrom} from 'rxjs';
import {
  applyFieldOverrides, booleanOverrideProcessor, cacheFieldDisplayNames, createTheme, DataFrame, dataLinksOverrideProcessor,
  dateMath, displayNameOverrideProcessor, FieldConfigOptionsRegistry, FieldType, getDisplayValueAlignmentFactors,
  getFieldDisplayValues, identityOverrideProcessor, numberOverrideProcessor, standardEditorsRegistry,
  standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry, stringOverrideProcessor, ThemeContext,
  thresholdsOverrideProcessor, toDataFrame, transformDataFrame, unitOverrideProcessor, valueMappingsOverrideProcessor, VizOrientation,
} from '@grafana/data';
import {BarGauge, BigValue, GlobalStyles, PanelChrome, TimeSeries, VizRepeater} from '@grafana/ui';
import {TableNG} from '@grafana/ui/unstable';

const WIDTH = 1400, COLUMN = WIDTH / 24, ROW = 38, STEP = 5, SETTLED = 1500;
const asked = new URLSearchParams(location.search), PROM = asked.get('prom')!;
const theme = createTheme({colors: {mode: (asked.get('theme') ?? 'dark') as any}});
const errors: string[] = [];
(window as any).__errors = errors;

const processors: any = {
  unit: unitOverrideProcessor, min: numberOverrideProcessor, max: numberOverrideProcessor, decimals: numberOverrideProcessor,
  displayName: displayNameOverrideProcessor, noValue: stringOverrideProcessor, thresholds: thresholdsOverrideProcessor,
  mappings: valueMappingsOverrideProcessor, links: dataLinksOverrideProcessor, color: identityOverrideProcessor,
  filterable: booleanOverrideProcessor, fieldMinMax: booleanOverrideProcessor, description: stringOverrideProcessor,
};
const setting = (id: string, path: string, process: any, more = {}): any =>
  ({id, path, name: id, process, override: process, shouldApply: () => true, editor: () => null, settings: {}, ...more});
standardEditorsRegistry.setInit(() => []);
standardFieldConfigEditorRegistry.setInit(() => Object.entries(processors).map(([id, process]) => setting(id, id, process)));
const transformers = new Map(Object.values(standardTransformers).map((one: any) => [one.id, one]));
standardTransformersRegistry.setInit(() => [...transformers.values()].map((one: any) =>
  ({id: one.id, name: one.name, transformation: () => Promise.resolve(one), editor: () => null}) as any));

async function api(path: string, params: Record<string, string>) {
  const answer = await (await fetch(PROM + path, {method: 'POST', body: new URLSearchParams(params)})).json();
  if (answer.status !== 'success') throw new Error(answer.error);
  return answer.data;
}

function filled(text: string, vars: Record<string, any>) {
  return text.replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g, (whole, long, short) => {
    const value = vars[long ?? short];
    return value === undefined ? whole : String(value);
  });
}

async function choices(query: string, one: any, range: any): Promise<string[]> {
  const series = query.match(/^query_result\((.+)\)$/), label = query.match(/^label_values\((?:(.*),\s*)?(\w+)\)$/);
  if (series) {
    const [, pattern, flags] = one.regex.match(/^\/(.*)\/(\w*)$/);
    const found = (await api('/api/v1/query', {query: series[1], time: String(range.to / 1000)})).result;
    return found.flatMap(({metric}: any) => {
      const text = '{' + Object.entries(metric).map(([name, value]) => `${name}="${value}"`).join(',') + '} 1 1';
      return [...text.matchAll(new RegExp(pattern, flags))].map(match => match.groups!.value).filter(Boolean);
    });
  }
  const wanted = new URLSearchParams({start: String(range.from / 1000), end: String(range.to / 1000)});
  if (label![1]) wanted.set('match[]', label![1]);
  return (await (await fetch(`${PROM}/api/v1/label/${label![2]}/values?${wanted}`)).json()).data;
}

async function variables(dash: any, range: any) {
  const seconds = Math.round((range.to - range.from) / 1000);
  const vars: Record<string, any> = {__rate_interval: '1m', __interval: STEP + 's', __range: seconds + 's', __range_s: seconds};
  for (const one of dash.templating.list) {
    if (one.type !== 'query') continue;
    const found = await choices(filled(one.query.query ?? one.query, vars), one, range);
    if (!found.length) errors.push(`variable ${one.name} is empty`);
    vars[one.name] = asked.get('var-' + one.name) ?? (one.includeAll ? one.allValue : found[0]);
  }
  return vars;
}

function frame(target: any, metric: any, times: number[], values: number[]): DataFrame {
  const named = (target.legendFormat ?? '').replace(/\{\{\s*(.+?)\s*\}\}/g, (_: string, key: string) => metric[key] ?? '');
  const config = named && named !== '__auto' ? {displayNameFromDS: named} : {};
  return toDataFrame({refId: target.refId, fields: [
    {name: 'Time', type: FieldType.time, config: {}, values: times.map(time => time * 1000)},
    {name: 'Value', type: FieldType.number, labels: metric, config, values},
  ]});
}

async function asTable(panel: any, target: any, query: string, time: string): Promise<DataFrame> {
  const rows = (await api('/api/v1/query', {query, time})).result;
  const labels = [...new Set<string>(rows.flatMap((row: any) => Object.keys(row.metric)))];
  const value = panel.targets.length > 1 ? 'Value #' + target.refId : 'Value';
  return toDataFrame({refId: target.refId, fields: [
    {name: 'Time', type: FieldType.time, config: {}, values: rows.map((row: any) => row.value[0] * 1000)},
    ...labels.map(name => ({name, type: FieldType.string, values: rows.map((row: any) => row.metric[name] ?? '')})),
    {name: value, type: FieldType.number, values: rows.map((row: any) => Number(row.value[1]))},
  ]});
}

async function queried(panel: any, target: any, vars: any, range: any): Promise<DataFrame[]> {
  const query = filled(target.expr, vars), start = String(range.from / 1000), end = String(range.to / 1000);
  if (target.format === 'table') return [await asTable(panel, target, query, end)];
  const found = target.instant
    ? await api('/api/v1/query', {query, time: end})
    : await api('/api/v1/query_range', {query, start, end, step: String(STEP)});
  return found.result.map((one: any) => {
    const points = one.values ?? [one.value];
    return frame(target, one.metric, points.map((point: any) => point[0]), points.map((point: any) => Number(point[1])));
  });
}

async function frames(panel: any, vars: any, range: any): Promise<DataFrame[]> {
  let data = (await Promise.all(panel.targets.map((target: any) => queried(panel, target, vars, range)))).flat();
  if (panel.transformations?.length) data = (await firstValueFrom(transformDataFrame(panel.transformations, data) as any)) as any;
  const config = panel.fieldConfig, lines = panel.type === 'timeseries';
  const drawn = {drawStyle: 'line', lineInterpolation: 'linear', pointSize: 5, axisPlacement: 'auto', scaleDistribution: {type: 'linear'}};
  if (lines) config.defaults.custom = {...drawn, ...config.defaults.custom};
  config.defaults.color ??= {mode: lines ? 'palette-classic' : 'thresholds'};
  const registry = new FieldConfigOptionsRegistry();
  standardFieldConfigEditorRegistry.list().forEach(one => registry.register(one as any));
  const overridden = (config.overrides ?? []).flatMap((one: any) => one.properties.map((property: any) => property.id));
  const custom = overridden.filter((id: string) => id.startsWith('custom.')).map((id: string) => id.split('.')[1]);
  for (const id of new Set<string>([...Object.keys(config.defaults.custom ?? {}), ...custom]))
    registry.register(setting('custom.' + id, id, (value: any) => value, {isCustom: true}));
  const replaceVariables = (text: string) => filled(text, vars);
  data = applyFieldOverrides({data, fieldConfig: config, replaceVariables, theme, timeZone: 'utc', fieldConfigRegistry: registry} as any);
  cacheFieldDisplayNames(data);
  return data;
}

function Values({panel, data, width, height}: any) {
  const options = panel.options, bars = panel.type === 'bargauge';
  const found = getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: options.reduceOptions, replaceVariables: (text: string) => text, theme, data,
    timeZone: 'utc',
  } as any);
  const one = ({value, width, height, alignmentFactors, count}: any) => bars
    ? <BarGauge width={width} height={height} value={value.display} field={value.field} theme={theme} text={options.text}
        display={value.view?.getFieldDisplayProcessor(value.colIndex)} displayMode={options.displayMode}
        orientation={options.orientation} alignmentFactors={alignmentFactors} />
    : <BigValue width={width} height={height} value={value.display} theme={theme} text={options.text} count={count}
        colorMode={options.colorMode} graphMode={options.graphMode} justifyMode={options.justifyMode ?? 'auto'}
        textMode={options.textMode} alignmentFactors={alignmentFactors} />;
  return <VizRepeater source={found} width={width} height={height} renderCounter={0} getValues={() => found} renderValue={one}
    orientation={bars ? options.orientation : VizOrientation.Auto} itemSpacing={bars ? 10 : undefined}
    minVizHeight={options.minVizHeight} maxVizHeight={options.maxVizHeight}
    getAlignmentFactors={getDisplayValueAlignmentFactors} />;
}

// Grafana's own timeline is not in its packages.
function Timeline({data, range, width, height}: any) {
  const rows = data.map((one: DataFrame) => {
    const [time, value] = one.fields, spans: any[] = [];
    time.values.forEach((at: number, index: number) => {
      const last = spans.at(-1), state = value.values[index];
      if (last?.state === state && at - last.to <= 2 * STEP * 1000) last.to = at;
      else spans.push({state, from: at, to: at + STEP * 1000, shown: value.display!(state)});
    });
    return {name: value.state?.displayName ?? value.name, spans};
  });
  const left = 8 + 7 * Math.max(...rows.map((row: any) => row.name.length)), high = (height - 4) / rows.length;
  const x = (at: number) => left + (at - range.from) / (range.to - range.from) * (width - left);
  return <svg width={width} height={height} fontSize={12} fill={theme.colors.text.primary}>
    {rows.map((row: any, index: number) => <g key={index}>
      <text x={left - 8} y={(index + 0.5) * high + 4} textAnchor="end">{row.name}</text>
      {row.spans.map(({from, to, shown}: any) => <svg key={from} x={x(from)} y={(index + 0.1) * high} height={high * 0.8}
        width={Math.max(1, x(to) - x(from))}>
        <rect width="100%" height="100%" fill={shown.color} opacity={0.7} />
        {x(to) - x(from) > 7 * shown.text.length && <text x={4} y={high * 0.4 + 4}>{shown.text}</text>}
      </svg>)}
    </g>)}
  </svg>;
}

function Content({panel, data, range, width, height}: any) {
  const options = panel.options;
  if (!data.some((one: DataFrame) => one.length)) return <div>{panel.fieldConfig.defaults.noValue}</div>;
  if (panel.type === 'timeseries')
    return <TimeSeries frames={data} structureRev={1} timeRange={range} timeZone="utc" width={width} height={height}
      legend={options.legend} options={options}>{() => null}</TimeSeries>;
  if (panel.type === 'state-timeline') return <Timeline data={data} range={range} width={width} height={height} />;
  if (panel.type === 'table')
    return <TableNG data={data[0]} width={width} height={height} cellHeight={options.cellHeight} structureRev={1} getActions={() => []} />;
  return <Values panel={panel} data={data} width={width} height={height} />;
}

class Guarded extends React.Component<any, any> {
  state: any = {};
  static getDerivedStateFromError(failure: any) { return {failure}; }
  componentDidCatch(failure: any) { errors.push(`${this.props.name}: ${failure.message}`); }
  render() { return this.state.failure ? null : this.props.children; }
}

function place({x, y, w, h}: any): any {
  return {position: 'absolute', left: x * COLUMN + 4, top: y * ROW + 60, width: w * COLUMN - 8, height: h * ROW - 8};
}

async function main() {
  const dash = await (await fetch('dash.json')).json(), {from, to} = dash.time;
  const range: any = {from: dateMath.parse(from), to: dateMath.parse(to), raw: {from, to}};
  const vars = await variables(dash, range), drawn: any[] = [];
  for (const panel of dash.panels) {
    const box = place(panel.gridPos);
    if (panel.type === 'row') { drawn.push(<h4 key={panel.id} style={box}>{panel.title}</h4>); continue; }
    const data = await frames(panel, vars, range);
    if (!data.some(one => one.length)) errors.push(`${panel.title}: no data`);
    drawn.push(<div key={panel.id} style={box}>
      <PanelChrome title={panel.title} width={box.width} height={box.height} padding="sm">
        {(width: number, height: number) => <Guarded name={panel.title}>
          <Content panel={panel} data={data} range={range} width={width} height={height} />
        </Guarded>}
      </PanelChrome>
    </div>);
  }
  const height = Math.max(...dash.panels.map(({gridPos}: any) => gridPos.y + gridPos.h)) * ROW + 64;
  createRoot(document.getElementById('root')!).render(<ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <div id="dashboard" style={{position: 'relative', width: WIDTH, height}}><h2 style={{padding: 12}}>{dash.title}</h2>{drawn}</div>
  </ThemeContext.Provider>);
}
main().catch(failure => errors.push(failure.stack)).finally(() => setTimeout(() => { (window as any).__done = true; }, SETTLED));
