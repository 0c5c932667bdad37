// Package kubernetes is two manifests: a pod with sysctls, and a pod with a sidecar
// for a program that cannot be changed. Its tests check them with the real kernel
// and a real HAProxy.
package kubernetes
