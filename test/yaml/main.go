// Command yaml-readers says what kubectl and kustomize make of text: one question a line on standard input, one answer a line.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/provider"
)

type question struct {
	Text string `json:"text"`
	// By is "kubectl" or "kustomize".
	By string `json:"by"`
}

type answer struct {
	Documents []json.RawMessage `json:"documents"`
	Error     string            `json:"error,omitempty"`
}

// kubectl is what StreamVisitor of k8s.io/cli-runtime does, up to the decoding of the object.
func kubectl(text string) answer {
	result := answer{Documents: []json.RawMessage{}}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(text), 4096)
	for {
		raw := runtime.RawExtension{}
		if err := decoder.Decode(&raw); err != nil {
			if err != io.EOF {
				result.Error = err.Error()
			}
			return result
		}
		raw.Raw = bytes.TrimSpace(raw.Raw)
		if len(raw.Raw) == 0 || bytes.Equal(raw.Raw, []byte("null")) {
			continue
		}
		result.Documents = append(result.Documents, raw.Raw)
	}
}

// kustomize is what it does with a file of `resources`.
func kustomize(text string) answer {
	result := answer{Documents: []json.RawMessage{}}
	resources, err := provider.NewDefaultDepProvider().GetResourceFactory().SliceFromBytes([]byte(text))
	if err != nil {
		result.Error = err.Error()
		return result
	}
	for _, resource := range resources {
		made, err := resource.MarshalJSON()
		if err != nil {
			result.Error = err.Error()
			return result
		}
		result.Documents = append(result.Documents, made)
	}
	return result
}

func main() {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := json.NewEncoder(os.Stdout)
	output.SetEscapeHTML(false)
	for {
		line, err := input.ReadBytes('\n')
		if len(line) > 0 {
			var asked question
			var said answer
			if wrong := json.Unmarshal(line, &asked); wrong != nil {
				said.Error = wrong.Error()
			} else if asked.By == "kustomize" {
				said = kustomize(asked.Text)
			} else {
				said = kubectl(asked.Text)
			}
			if wrong := output.Encode(said); wrong != nil {
				panic(wrong)
			}
		}
		if err != nil {
			return
		}
	}
}
