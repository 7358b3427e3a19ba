{{- define "drs-exporter.name" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "drs-exporter.selector" -}}
app.kubernetes.io/name: drs-exporter
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "drs-exporter.labels" -}}
{{ include "drs-exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "drs-exporter.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "drs-exporter.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "drs-exporter.image" -}}
{{- $repository := .Values.image.repository | required "image.repository: build the image with deploy/docker/Dockerfile, push it to a registry of yours, and name it here" -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* The path of the metrics: below the route prefix, which by default is the path of the external URL. */ -}}
{{- define "drs-exporter.metricsPath" -}}
{{- $prefix := .Values.web.routePrefix | default (urlParse .Values.web.externalUrl).path | trimAll "/" -}}
{{- if $prefix -}}/{{ $prefix }}{{- end -}}/metrics
{{- end -}}

{{- /* The name of the workload of a shard. Call: (dict "root" $ "shard" NUMBER), as for the next. */ -}}
{{- define "drs-exporter.shardName" -}}
{{- include "drs-exporter.name" .root -}}
{{- if gt (int .root.Values.shards) 1 -}}-{{ .shard }}{{- end -}}
{{- end -}}

{{- define "drs-exporter.shardSelector" -}}
{{ include "drs-exporter.selector" .root }}
drs-exporter/shard: {{ .shard | quote }}
{{- end -}}

{{- /* A mapping whose keys are the paths of files. Fails without any. Call: (list $ PATTERN) */ -}}
{{- define "drs-exporter.files" -}}
{{- $paths := (index . 0).Files.Glob (index . 1) -}}
{{- if not $paths -}}
{{- fail (printf "%s is missing in this folder: run `make chart`, and install build/chart/drs-exporter" (index . 1)) -}}
{{- end -}}
{{- range $path, $_ := $paths }}
{{ $path }}: true
{{- end -}}
{{- end -}}
