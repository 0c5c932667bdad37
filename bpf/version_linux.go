package bpf

import (
	"errors"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
)

// supported returns nil if the kernel runs programs of the type that iterators are.
func supported() error {
	err := features.HaveProgramType(ebpf.Tracing)
	if errors.Is(err, ebpf.ErrNotSupported) {
		return errors.ErrUnsupported
	}
	return err
}
