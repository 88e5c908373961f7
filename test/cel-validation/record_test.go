package celvalidation

// Writes what Envoy Gateway's CEL tests create, and how they expect it to be refused, one JSON object a line, to the file
// that MESH_EDGE_DUMP names. It stands where the tests have a client of an API server.

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	gwapiv1 "sigs.k8s.io/gateway-api/apis/v1"

	egv1a1 "github.com/envoyproxy/gateway/api/v1alpha1"
)

type recordedCase struct {
	Test       string
	Object     map[string]any
	WantErrors []string
}

// record returns the error that the test waits for.
func record(t *testing.T, object any, wanted ...string) error {
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	one := recordedCase{Test: t.Name(), WantErrors: []string{}}
	for _, want := range wanted {
		if want != "" {
			one.WantErrors = append(one.WantErrors, want)
		}
	}
	if err := json.Unmarshal(text, &one.Object); err != nil {
		t.Fatal(err)
	}
	one.Object["apiVersion"] = egv1a1.GroupVersion.String()
	one.Object["kind"] = reflect.TypeOf(object).Elem().Name()
	line, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(os.Getenv("MESH_EDGE_DUMP"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	if len(one.WantErrors) == 0 {
		return nil
	}
	return errors.New(strings.Join(one.WantErrors, "; "))
}

// What the tests take from a package of Envoy Gateway that needs all of it to compile.
type pointers struct{}

var gatewayapi pointers

func (pointers) NamespacePtr(name string) *gwapiv1.Namespace {
	namespace := gwapiv1.Namespace(name)
	return &namespace
}

func (pointers) KindPtr(name string) *gwapiv1.Kind {
	kind := gwapiv1.Kind(name)
	return &kind
}

func (pointers) GroupPtr(name string) *gwapiv1.Group {
	group := gwapiv1.Group(name)
	return &group
}
