// Reads a GlobalNetworkPolicy as JSON and says whether it is one: each field as Calico's own API types have it, and none besides.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	calico "github.com/projectcalico/api/pkg/apis/projectcalico/v3"
)

func main() {
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	var policy calico.GlobalNetworkPolicy
	if err := decoder.Decode(&policy); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(policy.Spec); err != nil {
		os.Exit(1)
	}
}
