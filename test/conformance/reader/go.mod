module mesh-edge/conformance-reader

go 1.24
