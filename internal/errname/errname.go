// Package errname begins errors with the name of the public package that returns them.
package errname

import "fmt"

// With returns err with the name of a package before it, and nil for nil. It is called where
// an error leaves the package, so that no package is named twice.
func With(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}
