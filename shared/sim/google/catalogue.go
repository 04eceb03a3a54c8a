package google

import (
	"slices"
	"strings"
)

// catalogue are the services that projects here can see, in order of their names.
var catalogue = sortedNames(strings.Fields(`
	accessapproval aiplatform apigateway apikeys appengine artifactregistry bigquery bigquerydatatransfer bigquerystorage billingbudgets
	binaryauthorization certificatemanager chat cloudaicompanion cloudapis cloudasset cloudbilling cloudbuild clouddeploy cloudfunctions cloudidentity
	cloudkms cloudquotas cloudresourcemanager cloudscheduler cloudsupport cloudtasks cloudtrace composer compute container containeranalysis
	dataflow dataform datafusion dataplex dataproc datastore deploymentmanager dlp dns documentai domains essentialcontacts eventarc file
	firebase firestore gkehub iam iamcredentials iap logging memcache monitoring networkconnectivity networkmanagement networkservices
	notebooks orgpolicy osconfig oslogin policytroubleshooter privateca pubsub recommender redis run secretmanager securitycenter
	servicedirectory servicehealth servicemanagement servicenetworking serviceusage sourcerepo spanner speech sql-component sqladmin
	storage storage-component storagetransfer translate vision vmwareengine vpcaccess websecurityscanner workflows workstations`))

// needs are the services that have to be on for another, and are switched on with it: all of
// them, at any depth.
var needs = map[string][]string{
	"cloudfunctions.googleapis.com": {"cloudbuild.googleapis.com", "storage.googleapis.com"},
	"composer.googleapis.com":       {"container.googleapis.com", "compute.googleapis.com", "oslogin.googleapis.com"},
	"container.googleapis.com":      {"compute.googleapis.com", "oslogin.googleapis.com"},
	"compute.googleapis.com":        {"oslogin.googleapis.com"},
	"dataproc.googleapis.com":       {"compute.googleapis.com", "oslogin.googleapis.com"},
}

func sortedNames(short []string) []string {
	names := make([]string, len(short))
	for i, s := range short {
		names[i] = s + ".googleapis.com"
	}
	slices.Sort(names)
	return names
}

func known(service string) bool {
	_, found := slices.BinarySearch(catalogue, service)
	return found
}

// Services are the names of all services that can be asked for, in their order.
func Services() []string { return slices.Clone(catalogue) }
