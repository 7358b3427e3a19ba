{{- /* The configuration of `config`, with the path of the volume. */ -}}
{{- define "drs-exporter.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if .Values.storage.enabled -}}
{{- $_ := set $config "storage" (merge (dict "path" "/var/lib/drs-exporter") ($config.storage | default dict)) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* The volume of the configuration. Fails unless the configuration has one source, and agrees with `storage`. */ -}}
{{- define "drs-exporter.configVolume" -}}
{{- $from := .Values.configFrom -}}
{{- $given := list .Values.config $from.configMap $from.secret | compact -}}
{{- if ne (len $given) 1 -}}
{{- fail "set one of config, configFrom.configMap and configFrom.secret: the configuration of the exporter, as in config.example.yaml" -}}
{{- end -}}
{{- $path := dig "storage" "path" "" (.Values.config | default dict) -}}
{{- if and $path (not .Values.storage.enabled) -}}
{{- fail "config.storage.path: set storage.enabled instead, which adds a volume for each pod and sets the path" -}}
{{- end -}}
{{- if and $path (ne $path "/var/lib/drs-exporter") -}}
{{- fail "config.storage.path: remove it, storage.enabled sets it to the path of the volume, /var/lib/drs-exporter" -}}
{{- end -}}
{{- $items := list (dict "key" (ternary "config.yaml" $from.key (not (empty .Values.config))) "path" "config.yaml") -}}
name: config
{{- if $from.secret }}
secret: {{ dict "secretName" $from.secret "items" $items | toJson }}
{{- else }}
configMap: {{ dict "name" ($from.configMap | default (include "drs-exporter.name" .)) "items" $items | toJson }}
{{- end }}
{{- end -}}
