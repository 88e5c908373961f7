// Reads what tests written in Go do without building them: each helper that a test calls, with its arguments, as JSON.
//
// A test's function is followed statement by statement. What is known is a value; what is not is kept as the call or the
// expression that would give it, so that the caller can still see which Gateway an address was asked of.
//
//	reader MODULE=FOLDER... -- FOLDER...
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
)

func main() {
	modules := map[string]string{}
	at := 1
	for ; at < len(os.Args) && os.Args[at] != "--"; at++ {
		name, folder, found := cut(os.Args[at], "=")
		if !found {
			fail("not MODULE=FOLDER: " + os.Args[at])
		}
		modules[name] = folder
	}
	packages := newPackages(modules)
	var tests []map[string]any
	for _, folder := range os.Args[at+1:] {
		tests = append(tests, testsOf(packages, folder)...)
	}
	sort.SliceStable(tests, func(a, b int) bool { return fmt.Sprint(tests[a]["ShortName"]) < fmt.Sprint(tests[b]["ShortName"]) })
	out := json.NewEncoder(os.Stdout)
	for _, test := range tests {
		if err := out.Encode(test); err != nil {
			fail(err.Error())
		}
	}
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(2)
}
