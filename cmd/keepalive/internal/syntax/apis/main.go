// Command apis reads YAML on standard input with the types of Istio and Envoy, and fails
// on a field that these do not have, or on a value of the wrong type. It is a module of
// its own, so that nobody else needs their 30 MB. Tests run it: go run . < FILE.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	istio "istio.io/api/networking/v1alpha3"
	"sigs.k8s.io/yaml"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = check(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "apis:", err)
		os.Exit(1)
	}
}

var separator = regexp.MustCompile(`(?m)^---$`)

// check reads each document, and prints what it is.
func check(text []byte) error {
	for _, doc := range separator.Split(string(text), -1) {
		data, err := yaml.YAMLToJSONStrict([]byte(doc))
		if err != nil {
			return err
		}
		var object struct {
			Kind   string
			Spec   json.RawMessage
			Static json.RawMessage `json:"static_resources"`
		}
		if err := json.Unmarshal(data, &object); err != nil {
			return err
		}
		switch {
		case object.Kind == "DestinationRule":
			err = read(object.Spec, new(istio.DestinationRule))
		case object.Kind == "EnvoyFilter":
			err = envoyFilter(object.Spec)
		case object.Static != nil:
			err = read(data, new(bootstrap.Bootstrap))
		default:
			err = errors.New("neither of Istio nor of Envoy")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", object.Kind, err)
		}
	}
	return nil
}

func read(data []byte, m proto.Message) error {
	if err := protojson.Unmarshal(data, m); err != nil {
		return err
	}
	_, err := fmt.Println(m.ProtoReflect().Descriptor().Name(), protojson.MarshalOptions{}.Format(m))
	return err
}

// envoyFilter also reads what the patches are made of.
func envoyFilter(data []byte) error {
	var f istio.EnvoyFilter
	if err := read(data, &f); err != nil {
		return err
	}
	for _, p := range f.ConfigPatches {
		value, err := protojson.Marshal(p.Patch.Value)
		if err != nil {
			return err
		}
		switch p.ApplyTo {
		case istio.EnvoyFilter_LISTENER:
			err = read(value, new(listener.Listener))
		case istio.EnvoyFilter_CLUSTER:
			err = read(value, new(cluster.Cluster))
		case istio.EnvoyFilter_NETWORK_FILTER:
			err = read(value, new(listener.Filter))
		default:
			err = fmt.Errorf("a patch of %s", p.ApplyTo)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
