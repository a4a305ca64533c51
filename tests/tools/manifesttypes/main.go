// Reads YAML documents from standard input and decodes each into the Go type that its own controller
// uses, refusing unknown fields and wrong types: the API server can't check them without those CRDs.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	helm "github.com/fluxcd/helm-controller/api/v2"
	kustomize "github.com/fluxcd/kustomize-controller/api/v1"
	source "github.com/fluxcd/source-controller/api/v1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

var types = map[string]func() any{
	"monitoring.coreos.com/v1/ServiceMonitor":      func() any { return &monitoring.ServiceMonitor{} },
	"monitoring.coreos.com/v1/PodMonitor":          func() any { return &monitoring.PodMonitor{} },
	"monitoring.coreos.com/v1/PrometheusRule":      func() any { return &monitoring.PrometheusRule{} },
	"helm.toolkit.fluxcd.io/v2/HelmRelease":        func() any { return &helm.HelmRelease{} },
	"kustomize.toolkit.fluxcd.io/v1/Kustomization": func() any { return &kustomize.Kustomization{} },
	"source.toolkit.fluxcd.io/v1/GitRepository":    func() any { return &source.GitRepository{} },
}

func check(document []byte) error {
	var header struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal(document, &header); err != nil {
		return err
	}
	name := header.APIVersion + "/" + header.Kind
	object, known := types[name]
	if !known {
		return fmt.Errorf("%s: no such type here", name)
	}
	if err := yaml.UnmarshalStrict(document, object()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func run() error {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := check(document); err != nil {
			return err
		}
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "manifesttypes:", err)
		os.Exit(1)
	}
}
