"""Point Google's Batch client at the recorder of the tests, in processes that are told where it is."""

import os

if address := os.environ.get("AXONET_TEST_BATCH"):
    import google.cloud.logging
    import grpc
    from google.cloud import batch_v1
    from google.cloud.batch_v1.services.batch_service.transports import BatchServiceGrpcTransport

    _client = batch_v1.BatchServiceClient

    class _NoLogs:
        def __init__(self, **kwargs):
            pass

        def logger(self, name):
            return self

        def list_entries(self, **kwargs):
            return []

    batch_v1.BatchServiceClient = lambda: _client(
        transport=BatchServiceGrpcTransport(channel=grpc.insecure_channel(address))
    )
    google.cloud.logging.Client = _NoLogs
