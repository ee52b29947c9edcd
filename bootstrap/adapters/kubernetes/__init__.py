"""Talk to the API server with the user's kubeconfig."""
